import "@mantine/core/styles.css";
import "./print.css";
import { Button, Group, MantineProvider } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { QueryClient, QueryClientProvider, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect, retainSearchParams, RouterProvider, useNavigate, useSearch } from "@tanstack/react-router"; // prettier-ignore
import { createContext, StrictMode, useContext, useEffect } from "react";
import { createRoot } from "react-dom/client";
import { create as createDemo } from "#programs/demo/contract.ts";
import { DemoBanner } from "#programs/demo/ui/demo-banner.tsx";
import { CohortPage, CohortsPage, NewCohortPage } from "#insights/cohorts/ui/cohorts-page.tsx";
import { z } from "zod";
import { allows } from "#kernel/roles.ts";
import { Palette } from "./palette.tsx";
import { begin, signOut, type WorkspaceView } from "#programs/workspaces/contract.ts";
import { SecondFactor } from "#programs/sign-on/ui/second-factor.tsx";
import { AlertsPanel } from "#programs/alerts/ui/alerts-panel.tsx";
import { SetUp, SignIn } from "#programs/workspaces/ui/entrance.tsx";
import { NewWorkspace } from "#programs/workspaces/ui/new-workspace.tsx";
import { SettingsPage } from "#programs/workspaces/ui/settings-page.tsx";
import { AccountPage, AccountsPage } from "#records/accounts/ui/accounts-page.tsx";
import { PeoplePage, PersonPage } from "#records/people/ui/people-page.tsx";
import { SourcesPage } from "#records/sources/ui/sources-page.tsx";
import { DashboardPage } from "#surfaces/dashboards/ui/dashboard-page.tsx";
import { DashboardsPage } from "#surfaces/dashboards/ui/dashboards-page.tsx";
import { SaveTile } from "#surfaces/dashboards/ui/save-tile.tsx";
import { ExplorePage } from "#surfaces/explore/ui/explore-page.tsx";
import { MetricPage } from "#surfaces/metrics/ui/metric-page.tsx";
import { MetricsPage } from "#surfaces/metrics/ui/metrics-page.tsx";
import { SaveMetric } from "#surfaces/metrics/ui/save-metric.tsx";
import { call, chooseWorkspace } from "#web/call.ts";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import { Shell } from "#web/shell.tsx";
import { theme } from "#web/theme.ts";
import { WorkspaceMenu } from "#web/workspace-menu.tsx";

const useBegin = () =>
  useQuery({ queryKey: ["begin"], queryFn: ({ signal }) => call(begin, {}, signal), staleTime: 60_000 });

const remembered = "throughline.workspace";

/** The workspace of the address, else the one that was looked at last, else the first. */
const useWorkspace = (all: readonly WorkspaceView[]): WorkspaceView | undefined => {
  const { w } = useSearch({ strict: false });
  const find = (id: unknown): WorkspaceView | undefined => all.find((one) => one.id === id);
  return find(w) ?? find(localStorage.getItem(remembered)) ?? all[0];
};

/** Decides which door somebody stands before: set up, sign in, or the workspace. */
const Root = () => {
  const client = useQueryClient();
  const query = useBegin();
  const again = (): void => void client.resetQueries();
  const addDemo = useMutation({
    mutationFn: () => call(createDemo, {}),
    onSuccess: ({ workspace }) => {
      localStorage.setItem(remembered, workspace);
      again();
    },
  });
  return (
    <Loaded query={query} height={600}>
      {(data) => {
        if (data.isNew) return <SetUp done={(withDemo) => (withDemo ? addDemo.mutate() : again())} />;
        if (data.member === null) return <SignIn done={again} singleSignOn={data.singleSignOn} />;
        return <Inside workspaces={data.workspaces} addDemo={() => addDemo.mutate()} again={again} />;
      }}
    </Loaded>
  );
};

interface InsideProps {
  readonly workspaces: readonly WorkspaceView[];
  readonly addDemo: () => void;
  readonly again: () => void;
}

const Inside = ({ workspaces, addDemo, again }: InsideProps) => {
  const navigate = useNavigate();
  const [creating, { open, close }] = useDisclosure();
  const current = useWorkspace(workspaces);
  const shown = current?.id;
  const { w } = useSearch({ strict: false });
  useEffect(() => {
    if (shown === undefined) return;
    localStorage.setItem(remembered, shown);
    // so that a copied address leads others to the same workspace
    if (w === undefined)
      void navigate({ to: ".", search: ((held: object) => ({ ...held, w: shown })) as never, replace: true });
  }, [shown, w, navigate]);
  const choose = (id: string): void => {
    void navigate({ to: "/explore", search: { w: id } as never }).then(again);
  };
  const leave = (): void => void navigate({ to: "/explore", search: { w: undefined } as never }).then(again);
  const dialog = <NewWorkspace opened={creating} close={close} made={choose} />;
  if (current === undefined) {
    const action = (
      <Group>
        <Button onClick={open}>New workspace</Button>
        <Button variant="default" onClick={addDemo}>
          Add the demo company
        </Button>
      </Group>
    );
    return (
      <main>
        {dialog}
        <Empty title="You belong to no workspace" action={action}>
          Ask an admin to add you to one, or create your own.
        </Empty>
      </main>
    );
  }
  chooseWorkspace(current.id);
  const hasDemo = workspaces.some((one) => one.isDemo);
  return (
    <Here.Provider value={{ workspace: current, leave }}>
      {dialog}
      <Shell
        key={current.id}
        menu={
          <WorkspaceMenu
            current={current}
            all={workspaces}
            choose={choose}
            addDemo={hasDemo ? undefined : addDemo}
            create={open}
          />
        }
        role={current.role}
        find={<Palette role={current.role} />}
        banner={current.isDemo && <DemoBanner name={current.name} canRemove={current.role === "owner"} left={leave} />}
        signOut={() => void call(signOut, {}).then(again)}
      />
    </Here.Provider>
  );
};

/** The workspace that the pages are about. */
const Here = createContext<{ workspace: WorkspaceView; leave: () => void } | undefined>(undefined);

const Settings = () => {
  const here = useContext(Here);
  return here === undefined ? null : (
    <SettingsPage workspace={here.workspace} left={here.leave} signOn={<SecondFactor />} alerts={<AlertsPanel />} />
  );
};

const Explore = () => (
  <ExplorePage
    save={({ kind, ...saved }) => (
      <>
        {kind !== "metric" && <SaveMetric {...saved} />}
        <SaveTile {...saved} />
      </>
    )}
  />
);

const root = createRootRoute({
  component: Root,
  validateSearch: (search: Record<string, unknown>): { w?: string } =>
    typeof search["w"] === "string" ? { ...search, w: search["w"] } : { ...search },
  search: { middlewares: [retainSearchParams(["w"])] },
});
const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/explore" });
  },
});
const explore = createRoute({ getParentRoute: () => root, path: "/explore", component: Explore });
const sources = createRoute({ getParentRoute: () => root, path: "/sources", component: SourcesPage });
const settings = createRoute({ getParentRoute: () => root, path: "/settings", component: Settings });
const importing = createRoute({
  getParentRoute: () => root,
  path: "/sources/import",
  component: lazyRouteComponent(() => import("#records/imports/ui/import-page.tsx"), "ImportPage"),
});
const people = createRoute({ getParentRoute: () => root, path: "/people", component: PeoplePage });
const person = createRoute({
  getParentRoute: () => root,
  path: "/people/$person",
  component: function OnePerson() {
    return <PersonPage person={person.useParams().person} />;
  },
});
const cohorts = createRoute({ getParentRoute: () => root, path: "/cohorts", component: CohortsPage });
const newCohort = createRoute({ getParentRoute: () => root, path: "/cohorts/new", component: NewCohortPage });
const cohort = createRoute({
  getParentRoute: () => root,
  path: "/cohorts/$cohort",
  component: function OneCohort() {
    return <CohortPage cohort={cohort.useParams().cohort} />;
  },
});
const accounts = createRoute({ getParentRoute: () => root, path: "/accounts", component: AccountsPage });
const account = createRoute({
  getParentRoute: () => root,
  path: "/accounts/$account",
  component: function OneAccount() {
    return <AccountPage account={account.useParams().account} />;
  },
});
const sql = createRoute({
  getParentRoute: () => root,
  path: "/sql",
  component: lazyRouteComponent(async () => {
    const { SqlPage } = await import("#surfaces/sql/ui/sql-page.tsx");
    return {
      default: () => (
        <SqlPage
          save={(saved) => (
            <>
              <SaveMetric {...saved} />
              <SaveTile {...saved} />
            </>
          )}
        />
      ),
    };
  }),
});
const metrics = createRoute({ getParentRoute: () => root, path: "/catalog/metrics", component: MetricsPage });
const metric = createRoute({
  getParentRoute: () => root,
  path: "/catalog/metrics/$metric",
  component: function OneMetric() {
    return <MetricPage metric={metric.useParams().metric} mayEdit={allows(useContext(Here)?.workspace.role, "edit")} />;
  },
});
const contracts = createRoute({
  getParentRoute: () => root,
  path: "/contracts",
  component: lazyRouteComponent(() => import("#programs/contracts/ui/contracts-page.tsx"), "ContractsPage"),
});
const audit = createRoute({
  getParentRoute: () => root,
  path: "/audit",
  component: lazyRouteComponent(() => import("#programs/audit/ui/audit-page.tsx"), "AuditPage"),
});
const privacy = createRoute({
  getParentRoute: () => root,
  path: "/privacy",
  component: lazyRouteComponent(async () => {
    const [{ PrivacyPage }, { ConsentPanel }, { KeepingPanel }] = await Promise.all([
      import("#programs/erasure/ui/privacy-page.tsx"),
      import("#programs/consent/ui/consent-panel.tsx"),
      import("#programs/keeping/ui/keeping-panel.tsx"),
    ]);
    return {
      default: function Privacy() {
        return <PrivacyPage consent={<ConsentPanel />} keeping={<KeepingPanel />} />;
      },
    };
  }),
});
const catalog = createRoute({
  getParentRoute: () => root,
  path: "/govern/catalog",
  component: lazyRouteComponent(() => import("#programs/stewardship/ui/catalog-page.tsx"), "CatalogPage"),
});
const govern = createRoute({
  getParentRoute: () => root,
  path: "/govern/home",
  component: lazyRouteComponent(async () => {
    const [{ GovernPage }, { Promises }] = await Promise.all([
      import("#programs/stewardship/ui/govern-page.tsx"),
      import("#programs/quality/ui/promises.tsx"),
    ]);
    return {
      default: function Home() {
        const role = useContext(Here)?.workspace.role;
        return (
          <GovernPage
            mayEdit={allows(role, "edit")}
            mayGovern={allows(role, "govern")}
            promises={<Promises mayGovern={allows(role, "govern")} />}
          />
        );
      },
    };
  }),
});
const policy = createRoute({
  getParentRoute: () => root,
  path: "/govern/policy",
  component: lazyRouteComponent(async () => {
    const { PolicyPage } = await import("#programs/policy/ui/policy-page.tsx");
    return {
      default: function Policy() {
        return <PolicyPage mayGovern={allows(useContext(Here)?.workspace.role, "govern")} />;
      },
    };
  }),
});
const calculator = createRoute({
  getParentRoute: () => root,
  path: "/experiments/calculator",
  component: lazyRouteComponent(() => import("#programs/experiments/ui/calculator-page.tsx"), "CalculatorPage"),
});
const experiments = createRoute({
  getParentRoute: () => root,
  path: "/experiments",
  component: lazyRouteComponent(async () => {
    const { ExperimentsPage } = await import("#programs/experiments/ui/experiments-page.tsx");
    return {
      default: function Experiments() {
        return <ExperimentsPage mayEdit={allows(useContext(Here)?.workspace.role, "edit")} />;
      },
    };
  }),
});
const oneExperiment = createRoute({
  getParentRoute: () => root,
  path: "/experiments/plan/$key",
  component: lazyRouteComponent(async () => {
    const { ExperimentPage } = await import("#programs/experiments/ui/experiment-page.tsx");
    return {
      default: function OneExperiment() {
        const { key } = oneExperiment.useParams();
        return <ExperimentPage key={key} experimentKey={key} mayEdit={allows(useContext(Here)?.workspace.role, "edit")} />; // prettier-ignore
      },
    };
  }),
});
const voices = createRoute({
  getParentRoute: () => root,
  path: "/voices",
  component: lazyRouteComponent(async () => {
    const { VoicesPage } = await import("#programs/voices/ui/voices-page.tsx");
    return {
      default: function Voices() {
        return <VoicesPage mayRead={allows(useContext(Here)?.workspace.role, "edit")} />;
      },
    };
  }),
});

const conversations = createRoute({
  getParentRoute: () => root,
  path: "/conversations",
  component: lazyRouteComponent(async () => {
    const { ConversationsPage } = await import("#programs/cx-score/ui/conversations-page.tsx");
    return {
      default: function Conversations() {
        const role = useContext(Here)?.workspace.role;
        return <ConversationsPage mayRead={allows(role, "edit")} maySwitch={allows(role, "govern")} />;
      },
    };
  }),
});
const oneConversation = createRoute({
  getParentRoute: () => root,
  path: "/conversations/$id",
  component: lazyRouteComponent(async () => {
    const { ConversationPage } = await import("#programs/cx-score/ui/conversation-page.tsx");
    return {
      default: function OneConversation() {
        const { id } = oneConversation.useParams();
        return <ConversationPage key={id} id={id} />;
      },
    };
  }),
});
const flags = createRoute({
  getParentRoute: () => root,
  path: "/flags",
  component: lazyRouteComponent(async () => {
    const { FlagsPage } = await import("#programs/flags/ui/flags-page.tsx");
    return {
      default: function Flags() {
        const role = useContext(Here)?.workspace.role;
        return <FlagsPage mayEdit={allows(role, "edit")} mayAdmin={allows(role, "admin")} />;
      },
    };
  }),
});
const oneFlag = createRoute({
  getParentRoute: () => root,
  path: "/flags/$key",
  component: lazyRouteComponent(async () => {
    const { FlagPage } = await import("#programs/flags/ui/flag-page.tsx");
    return {
      default: function OneFlag() {
        const { key } = oneFlag.useParams();
        return <FlagPage key={key} flagKey={key} mayEdit={allows(useContext(Here)?.workspace.role, "edit")} />;
      },
    };
  }),
});
const ai = createRoute({
  getParentRoute: () => root,
  path: "/govern/ai",
  component: lazyRouteComponent(async () => {
    const { CardsPage } = await import("#programs/cards/ui/cards-page.tsx");
    return {
      default: function Cards() {
        return <CardsPage mayGovern={allows(useContext(Here)?.workspace.role, "govern")} />;
      },
    };
  }),
});
const catalogItem = createRoute({
  getParentRoute: () => root,
  path: "/govern/catalog/$kind/$id",
  component: lazyRouteComponent(async () => {
    const { ItemPage } = await import("#programs/stewardship/ui/item-page.tsx");
    return {
      default: function OneItem() {
        const here = useContext(Here);
        const { kind, id } = catalogItem.useParams();
        return (
          <ItemPage key={`${kind} ${id}`} kind={kind} id={id} mayChange={allows(here?.workspace.role, "govern")} />
        );
      },
    };
  }),
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
  defaultErrorComponent: ({ error }) => <Problem error={error} />,
  routeTree: root.addChildren([
    home,
    explore,
    sql,
    metrics,
    metric,
    dashboards,
    dashboard,
    contracts,
    audit,
    privacy,
    govern,
    policy,
    ai,
    calculator,
    experiments,
    oneExperiment,
    conversations,
    voices,
    oneConversation,
    flags,
    oneFlag,
    catalog,
    catalogItem,
    people,
    person,
    cohorts,
    newCohort,
    cohort,
    accounts,
    account,
    settings,
    sources,
    importing,
  ]),
});
const queries = new QueryClient({ defaultOptions: { queries: { retry: false, refetchOnWindowFocus: false } } });

// the policy of the page allows no code made from text, which zod would try for speed
z.config({ jitless: true });

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
