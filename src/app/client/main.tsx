import "@mantine/core/styles.css";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider, useQuery, useQueryClient } from "@tanstack/react-query";
import { createRootRoute, createRoute, createRouter, redirect, RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { begin, signOut } from "#programs/workspaces/contract.ts";
import { SetUp, SignIn } from "#programs/workspaces/ui/entrance.tsx";
import { PeoplePage, PersonPage } from "#records/people/ui/people-page.tsx";
import { SourcesPage } from "#records/sources/ui/sources-page.tsx";
import { DashboardPage, DashboardsPage } from "#surfaces/dashboards/ui/dashboards-page.tsx";
import { SaveTile } from "#surfaces/dashboards/ui/save-tile.tsx";
import { ExplorePage } from "#surfaces/explore/ui/explore-page.tsx";
import { call, chooseWorkspace } from "#web/call.ts";
import { Problem, Waiting } from "#web/kit/states.tsx";
import { Shell } from "#web/shell.tsx";
import { theme } from "#web/theme.ts";

const useBegin = () =>
  useQuery({ queryKey: ["begin"], queryFn: ({ signal }) => call(begin, {}, signal), staleTime: 60_000 });

/** Decides which door somebody stands before: set up, sign in, or the workspace. */
const Root = () => {
  const client = useQueryClient();
  const { data, error, refetch } = useBegin();
  const again = (): void => void client.resetQueries();
  if (error !== null) return <Problem error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Waiting height={600} />;
  if (data.isNew) return <SetUp done={again} />;
  const [workspace] = data.workspaces;
  if (data.member === null || workspace === undefined) return <SignIn done={again} />;
  chooseWorkspace(workspace.id);
  return (
    <Shell workspace={workspace.name} isDemo={workspace.isDemo} signOut={() => void call(signOut, {}).then(again)} />
  );
};

const Explore = () => (
  <ExplorePage save={(question, suggested) => <SaveTile question={question} suggested={suggested} />} />
);

const root = createRootRoute({ component: Root });
const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/explore" });
  },
});
const explore = createRoute({ getParentRoute: () => root, path: "/explore", component: Explore });
const sources = createRoute({ getParentRoute: () => root, path: "/sources", component: SourcesPage });
const people = createRoute({ getParentRoute: () => root, path: "/people", component: PeoplePage });
const person = createRoute({
  getParentRoute: () => root,
  path: "/people/$person",
  component: function OnePerson() {
    return <PersonPage person={person.useParams().person} />;
  },
});
const dashboards = createRoute({ getParentRoute: () => root, path: "/dashboards", component: DashboardsPage });
const dashboard = createRoute({
  getParentRoute: () => root,
  path: "/dashboards/$dashboard",
  component: function OneDashboard() {
    return <DashboardPage dashboard={dashboard.useParams().dashboard} />;
  },
});
const router = createRouter({
  routeTree: root.addChildren([home, explore, dashboards, dashboard, people, person, sources]),
});
const queries = new QueryClient({ defaultOptions: { queries: { retry: false, refetchOnWindowFocus: false } } });

const place = document.querySelector("#root");
if (place === null) throw new Error("the page has no place for the app");
createRoot(place).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
