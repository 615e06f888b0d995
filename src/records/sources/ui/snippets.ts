import type { SourceView } from "../contract.ts";

/** What to paste into an application, per SDK. `origin` is this server's address. */
export const snippetsFor = (
  source: SourceView,
  origin: string,
): readonly { readonly title: string; readonly code: string }[] => {
  const { writeKey, kind } = source;
  const host = new URL(origin).host;
  const all: Readonly<Record<string, readonly { title: string; code: string }[]>> = {
    segment: [
      {
        title: "Node",
        code: `import { Analytics } from "@segment/analytics-node";\nconst analytics = new Analytics({ writeKey: "${writeKey}", host: "${origin}" });`,
      },
      {
        title: "Browser",
        code: `import { AnalyticsBrowser } from "@segment/analytics-next";\nconst analytics = AnalyticsBrowser.load({ writeKey: "${writeKey}", cdnURL: "${origin}/segment" }, {\n  integrations: { "Segment.io": { apiHost: "${host}/segment/v1", protocol: "${new URL(origin).protocol.slice(0, -1)}" } },\n});`,
      },
    ],
    posthog: [
      {
        title: "Browser",
        code: `import posthog from "posthog-js";\nposthog.init("${writeKey}", { api_host: "${origin}/posthog" });`,
      },
      {
        title: "Node",
        code: `import { PostHog } from "posthog-node";\nconst posthog = new PostHog("${writeKey}", { host: "${origin}/posthog" });`,
      },
    ],
    amplitude: [
      {
        title: "Browser",
        code: `import * as amplitude from "@amplitude/analytics-browser";\namplitude.init("${writeKey}", { serverUrl: "${origin}/amplitude/2/httpapi", fetchRemoteConfig: false });`,
      },
      {
        title: "Node",
        code: `import { init } from "@amplitude/analytics-node";\ninit("${writeKey}", { serverUrl: "${origin}/amplitude/2/httpapi" });`,
      },
    ],
    mixpanel: [
      {
        title: "Node",
        code: `const Mixpanel = require("mixpanel");\nconst mixpanel = Mixpanel.init("${writeKey}", { host: "${host}", path: "/mixpanel", protocol: "${new URL(origin).protocol.slice(0, -1)}" });`,
      },
    ],
    api: [
      {
        title: "HTTP",
        code: `curl ${origin}/v1/events \\\n  -H "authorization: Bearer ${writeKey}" -H "content-type: application/json" \\\n  -d '{"events":[{"event":"Signed up","userId":"ana","id":"1","properties":{"plan":"pro"}}]}'`,
      },
    ],
  };
  return all[kind] ?? [];
};
