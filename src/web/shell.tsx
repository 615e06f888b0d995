import { ActionIcon, AppShell, Box, Burger, Button, Group, NavLink, Text, useMantineColorScheme } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconBooks,
  IconBuilding,
  IconCalculator,
  IconChartLine,
  IconEyeCog,
  IconFlag,
  IconFlask,
  IconFileCheck,
  IconHistory,
  IconIdBadge2,
  IconLayoutDashboard,
  IconLogout,
  IconEar,
  IconMessages,
  IconMoon,
  IconSettings,
  IconPlugConnected,
  IconShieldCheck,
  IconSql,
  IconSun,
  IconTarget,
  IconUsers,
  IconUserShield,
  IconUsersGroup,
} from "@tabler/icons-react";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import type { Permission } from "#kernel/operation.ts";
import { allows, type Role } from "#kernel/roles.ts";
import type { ReactNode } from "react";

export interface PageLink {
  readonly path: string;
  readonly title: string;
  readonly icon: ReactNode;
  /** Who may not do this finds nothing on the page. */
  readonly needs?: Permission;
}

/** The pages that a role finds something on. */
export const pagesFor = (role: Role): readonly PageLink[] =>
  pages.filter(({ needs }) => needs === undefined || allows(role, needs));

/** Every page, in the order of the navigation. */
const pages: readonly PageLink[] = [
  { path: "/explore", title: "Explore", icon: <IconChartLine size={18} aria-hidden /> },
  { path: "/catalog/metrics", title: "Metrics", icon: <IconTarget size={18} aria-hidden /> },
  { path: "/dashboards", title: "Dashboards", icon: <IconLayoutDashboard size={18} aria-hidden /> },
  { path: "/sql", title: "SQL", icon: <IconSql size={18} aria-hidden /> },
  { path: "/flags", title: "Flags", icon: <IconFlag size={18} aria-hidden /> },
  { path: "/experiments", title: "Experiments", icon: <IconFlask size={18} aria-hidden /> },
  { path: "/experiments/calculator", title: "Calculator", icon: <IconCalculator size={18} aria-hidden /> },
  { path: "/conversations", title: "Conversations", icon: <IconMessages size={18} aria-hidden /> },
  { path: "/voices", title: "Voices", icon: <IconEar size={18} aria-hidden /> },
  { path: "/people", title: "People", icon: <IconUsers size={18} aria-hidden /> },
  { path: "/cohorts", title: "Cohorts", icon: <IconUsersGroup size={18} aria-hidden /> },
  { path: "/accounts", title: "Accounts", icon: <IconBuilding size={18} aria-hidden /> },
  { path: "/contracts", title: "Contracts", icon: <IconFileCheck size={18} aria-hidden /> },
  { path: "/govern/home", title: "Govern", icon: <IconShieldCheck size={18} aria-hidden /> },
  { path: "/govern/catalog", title: "Catalog", icon: <IconBooks size={18} aria-hidden /> },
  { path: "/govern/policy", title: "Who sees what", icon: <IconEyeCog size={18} aria-hidden /> },
  { path: "/govern/ai", title: "AI and cards", icon: <IconIdBadge2 size={18} aria-hidden /> },
  { path: "/privacy", title: "Privacy", needs: "govern", icon: <IconUserShield size={18} aria-hidden /> },
  { path: "/audit", title: "Audit", needs: "audit", icon: <IconHistory size={18} aria-hidden /> },
  { path: "/sources", title: "Sources", icon: <IconPlugConnected size={18} aria-hidden /> },
  { path: "/settings", title: "Settings", icon: <IconSettings size={18} aria-hidden /> },
];

const SchemeSwitch = () => {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = colorScheme === "dark" ? "light" : "dark";
  return (
    <ActionIcon
      variant="default"
      size="lg"
      aria-label={`Switch to ${next} colours`}
      onClick={() => setColorScheme(next)}
    >
      {next === "dark" ? <IconMoon size={18} /> : <IconSun size={18} />}
    </ActionIcon>
  );
};

/** Navigation at the left, the workspace at the top, the page in the middle; on a screen on the wall the page alone. */
export const Shell = ({
  menu,
  find,
  banner,
  signOut,
  role,
}: {
  menu: ReactNode;
  find: ReactNode;
  banner: ReactNode;
  signOut: () => void;
  role: Role;
}) => {
  const [opened, { toggle, close }] = useDisclosure();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const isScreen = useRouterState({ select: (state) => (state.location.search as { tv?: unknown }).tv === 1 });
  if (isScreen)
    return (
      <Box component="main" p="lg" className="screen">
        <Outlet />
      </Box>
    );
  const pages = pagesFor(role);
  // the nearest one: a page may lie below another
  const here = pages.filter((page) => path.startsWith(page.path)).toSorted((a, b) => b.path.length - a.path.length)[0];
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 200, breakpoint: "sm", collapsed: { mobile: !opened } }}
      padding="md"
    >
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" />
            <Text fw={700} visibleFrom="xs">
              Throughline
            </Text>
            {menu}
          </Group>
          <Group gap="sm" wrap="nowrap">
            {find}
            <SchemeSwitch />
            <Button variant="default" size="sm" onClick={signOut} visibleFrom="sm">
              Sign out
            </Button>
            <ActionIcon variant="default" size="lg" aria-label="Sign out" onClick={signOut} hiddenFrom="sm">
              <IconLogout size={18} aria-hidden />
            </ActionIcon>
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" aria-label="Pages">
        {pages.map((page) => (
          <NavLink
            key={page.path}
            component={Link}
            to={page.path}
            label={page.title}
            leftSection={page.icon}
            active={page === here}
            activeOptions={{ exact: page !== here }}
            variant="light"
            style={{ "--nl-hover": "var(--nl-bg)" }}
            onClick={close}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main>
        {banner}
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
};
