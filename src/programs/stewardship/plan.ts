import type { Task } from "./contract.ts";

/** How a workspace stands, as far as the first ninety days ask. */
export interface Standing {
  readonly sources: number;
  /** Shares from 0 to 1 of all events that came: with an active contract, and with an owner. */
  readonly underContract: number;
  readonly owned: number;
  readonly activeContracts: number;
  readonly members: number;
  readonly stewards: number;
  readonly classed: number;
  readonly findings: number;
  readonly scanned: boolean;
  readonly held: number;
  readonly broken: number;
  readonly northStar: boolean;
  readonly checkpointsElsewhere: boolean;
  readonly singleSignOn: boolean;
  readonly masks: boolean;
}

const percent = (share: number): string => `${Math.floor(share * 100)} %`;
const plural = (count: number, one: string): string => `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;

/** The first ninety days of governing data, each task ticked off by how the workspace stands and by nothing else. */
export const planOf = (now: Standing): readonly Task[] => {
  const task = (phase: Task["phase"], title: string, isDone: boolean, says: string, address: string): Task => ({ phase, title, isDone, says, address }); // prettier-ignore
  return [
    task("30", "Data arrives", now.sources > 0, plural(now.sources, "source"), "/sources"),
    task("30", "Somebody looks after it", now.stewards > 0, `${plural(now.stewards, "steward")} of ${plural(now.members, "member")}`, "/settings"),
    task("30", "Personal data is masked at the door", now.masks, now.masks ? "It is, unless a contract says otherwise" : "It is kept as it comes", "/contracts?tab=choices"),
    task("30", "One event is agreed on", now.activeContracts > 0, plural(now.activeContracts, "active contract"), "/contracts?tab=contracts"),
    task("30", "What is stored was searched for personal data", now.scanned, now.scanned ? "It was" : "Not yet", "/govern/home"),
    task("60", "Half of all events are under contract", now.underContract >= 0.5, percent(now.underContract), "/contracts?tab=contracts"),
    task("60", "What looks personal is classed or judged", now.scanned && now.findings === 0, now.scanned ? `${plural(now.findings, "finding")} open, ${plural(now.classed, "name")} classed` : "Not searched yet", "/govern/home"),
    task("60", "Half of all events have an owner", now.owned >= 0.5, percent(now.owned), "/govern/catalog?kind=event"),
    task("60", "There is a North Star", now.northStar, now.northStar ? "There is" : "No metric is it yet", "/catalog/metrics"),
    task("90", "Nine of ten events are under contract", now.underContract >= 0.9, percent(now.underContract), "/contracts?tab=contracts"),
    task("90", "Nine of ten events have an owner", now.owned >= 0.9, percent(now.owned), "/govern/catalog?kind=event"),
    task("90", "Nothing breaks and nothing is held", now.activeContracts > 0 && now.broken === 0 && now.held === 0, `${plural(now.broken, "violation")} this week, ${plural(now.held, "event")} held`, "/contracts"),
    task("90", "The audit log is signed elsewhere too", now.checkpointsElsewhere, now.checkpointsElsewhere ? "It is" : "Set THROUGHLINE_AUDIT_CHECKPOINTS", "/audit"),
    task("90", "People come in by single sign-on", now.singleSignOn, now.singleSignOn ? "They do" : "Set THROUGHLINE_OIDC_ISSUER", "/settings"),
  ]; // prettier-ignore
};
