import type { IncomingEvent } from "#records/events/incoming.ts";
import { chanceFrom, type Chance } from "./random.ts";
import { companyEnds, companyStarts, countries, firstNames, industries, lastNames, templates, topics, type Topic } from "./words.ts"; // prettier-ignore

/**
 * Fernly, a made-up company that sells a tool for planning work to other companies, simulated day by day. The same
 * options give the same events. What is planted in it is written down in docs/demo.md, and `truths` has its numbers.
 */
export interface CompanyOptions {
  readonly seed: number;
  /** The first moment after the last day, UTC midnight, in milliseconds. */
  readonly end: number;
  /** 1 is the full company: some 1,500 accounts and 20,000 people. */
  readonly scale: number;
}

export const companyDays = 548;

/** What is planted; days count from the first day of the company. */
export const truths = {
  experiment: { from: 260, to: 419, lift: 0.22 },
  mismatch: { from: 470, lost: 5 },
  brokenProperty: { from: 430, to: 438, version: "4.12.0", factor: 0.4 },
  release: { day: 400, factor: 1.5 },
  seatMinimum: { day: 380, churn: 0.6, withinDays: 45 },
  monthlyChurn: 0.02,
  wastefulChannel: "display",
} as const;

const dayMs = 86_400_000;
const team = { marketing: "team:marketing", product: "team:product" } as const;

/** Share of sign-ups, activation beside the base, and dollars a day at full scale. */
const channels = {
  search: { share: 30, activation: 0.03, spend: 420 },
  content: { share: 22, activation: 0.05, spend: 150 },
  referral: { share: 14, activation: 0.12, spend: 0 },
  display: { share: 18, activation: -0.3, spend: 610 },
  partner: { share: 8, activation: 0.08, spend: 120 },
  direct: { share: 8, activation: 0.02, spend: 0 },
} as const;
type Channel = keyof typeof channels;
const channelShares = (Object.keys(channels) as Channel[]).map((name) => [name, channels[name].share] as const); // the keys above

const prices = { team: 12, business: 25 } as const;
type Plan = "free" | keyof typeof prices;

interface Person {
  readonly id: string;
  readonly device: string;
  readonly name: string;
  readonly joined: number;
  /** Chance of being active on a working day. */
  readonly habit: number;
  readonly client: string;
}

interface Account {
  readonly id: string;
  readonly name: string;
  readonly channel: Channel;
  readonly born: number;
  readonly wantedSeats: number;
  readonly country: string;
  readonly activated: boolean;
  readonly people: Person[];
  plan: Plan;
  paidSince: number;
  churned: number;
  leavesOn: number;
  automates: boolean;
  wonOn: number;
}

const versionOn = (day: number): string => {
  const { from, to, version } = truths.brokenProperty;
  if (day >= from && day <= to) return version;
  return day < from ? `4.${Math.floor(day / 36)}.0` : `4.${13 + Math.floor((day - to) / 36)}.0`;
};

/** A working hour of the day, in milliseconds after its midnight. */
const workingHour = (chance: Chance): number => Math.floor((8 + chance.number() * 10) * 3_600_000);

const isWeekend = (ms: number): boolean => [0, 6].includes(new Date(ms).getUTCDay());

/** The whole history, a day at a time, each day in order of time. */
export function* simulate({ seed, end, scale }: CompanyOptions): Generator<readonly IncomingEvent[]> {
  const chance = chanceFrom(seed);
  const start = end - companyDays * dayMs;
  const coloured = new Set<string>();
  const accounts: Account[] = [];
  let people = 0;
  let visitors = 0;
  let messages = 0;
  let today: IncomingEvent[] = [];

  const say = (at: number, event: Omit<IncomingEvent, "at" | "messageId">): void => {
    messages += 1;
    today.push({ ...event, at, messageId: `demo ${seed} ${messages}` });
  };

  const newPerson = (joined: number): Person => {
    people += 1;
    const name = `${chance.pick(firstNames)} ${chance.pick(lastNames)}`;
    const client = chance.among([["web", 70], ["ios", 16], ["android", 14]] as const); // prettier-ignore
    return {
      id: `user-${people}`,
      device: `device-${people}`,
      name,
      joined,
      habit: 0.05 + chance.number() ** 2 * 0.3,
      client,
    };
  };

  const touch = (at: number, anonymousId: string, channel: Channel): void => {
    if (channels[channel].spend === 0) return;
    const campaign = `${channel}-${chance.pick(["brand", "templates", "compare"])}`;
    say(at, {
      name: "Campaign touched",
      anonymousId,
      properties: { channel, campaign, $utm_source: channel, $utm_campaign: campaign },
    });
  };

  /** Pages seen before anybody is known. */
  const visit = (at: number, anonymousId: string, pages: number): void => {
    for (let page = 0; page < pages; page += 1) {
      const path = chance.pick(["/", "/pricing", "/templates", "/blog/planning", "/compare"]);
      say(at + page * 40_000, { name: "Page viewed", anonymousId, properties: { $pathname: path } });
    }
  };

  const startAccount = (day: number, midnight: number): void => {
    const at = midnight + workingHour(chance);
    const channel = chance.among(channelShares);
    const founder = newPerson(day);
    const { experiment, brokenProperty } = truths;
    const variant = chance.is(0.5) ? "checklist" : "control";
    const inExperiment = day >= experiment.from && day <= experiment.to;
    const isBroken = day >= brokenProperty.from && day <= brokenProperty.to;
    const likely =
      0.45 + channels[channel].activation + (inExperiment && variant === "checklist" ? experiment.lift : 0);
    const activated = chance.is(likely * (isBroken ? brokenProperty.factor : 1));
    const wantedSeats = chance.among([[chance.whole(2, 6), 50], [chance.whole(7, 24), 36], [chance.whole(25, 90), 14]] as const); // prettier-ignore
    const account: Account = {
      id: `account-${accounts.length + 1}`,
      name: `${chance.pick(companyStarts)} ${chance.pick(companyEnds)}`,
      channel,
      born: day,
      wantedSeats,
      country: chance.pick(countries),
      activated,
      people: [founder],
      plan: "free",
      paidSince: -1,
      churned: -1,
      leavesOn: -1,
      automates: false,
      wonOn: -1,
    };
    accounts.push(account);
    touch(at - 3 * 3_600_000, founder.device, channel);
    visit(at - 600_000, founder.device, chance.whole(1, 4));
    const version = versionOn(day);
    const who = { userId: founder.id, account: account.id };
    say(at, {
      name: "Signed up",
      ...who,
      anonymousId: founder.device,
      properties: { channel, client: founder.client, app_version: version },
      personTraits: [
        { op: "set", traits: { name: founder.name, email: `${founder.id}@example.com`, role: "owner", channel } },
      ],
      accountTraits: [
        {
          op: "set",
          traits: {
            name: account.name,
            industry: chance.pick(industries),
            country: account.country,
            plan: "free",
            channel,
          },
        },
      ],
    });
    if (inExperiment) {
      const properties = { experiment: "onboarding checklist", variant };
      say(at + 1_000, { name: "Experiment viewed", ...who, properties, personTraits: [{ op: "set", traits: { onboarding: variant } }] }); // prettier-ignore
    }
    if (activated || chance.is(0.3)) {
      const created = at + chance.whole(2, 90) * 60_000;
      const template = isBroken ? {} : { template: chance.pick(templates) };
      say(created, { name: "Project created", ...who, properties: { ...template, app_version: version, client: founder.client } }); // prettier-ignore
      if (activated)
        say(created + chance.whole(1, 300) * 60_000, {
          name: "Task created",
          ...who,
          properties: { app_version: version },
        });
    }
  };

  const subscribe = (account: Account, day: number, at: number): void => {
    account.plan = account.wantedSeats > 12 ? "business" : "team";
    account.paidSince = day;
    const [owner] = account.people;
    const properties = { plan: account.plan, seats: account.people.length, channel: account.channel };
    say(at, {
      name: "Subscription started",
      userId: owner?.id,
      account: account.id,
      properties,
      accountTraits: [{ op: "set", traits: { plan: account.plan } }],
    });
  };

  const invoice = (account: Account, day: number, at: number): void => {
    const seats = Math.max(account.people.length, day >= truths.seatMinimum.day ? 10 : 1);
    const price = account.plan === "free" ? 0 : prices[account.plan];
    const properties = { amount: seats * price, currency: "USD", seats, plan: account.plan };
    say(at, { name: "Invoice paid", userId: account.people[0]?.id, account: account.id, properties });
  };

  const converse = (account: Account, topic: Topic, at: number): void => {
    const id = `conversation-${messages}`;
    const asker = account.people[chance.whole(0, account.people.length - 1)];
    const who = { userId: asker?.id, account: account.id };
    const channel = chance.pick(["chat", "email"]);
    const text = chance.pick(topics[topic]);
    say(at, { name: "Conversation started", ...who, properties: { conversation: id, topic, channel, text } });
    const rating = topic === "seat minimum" ? chance.whole(1, 2) : chance.whole(3, 5);
    const minutes = chance.whole(3, topic === "bug" ? 900 : 240);
    if (chance.is(0.6))
      say(at + minutes * 60_000, {
        name: "Conversation rated",
        ...who,
        properties: { conversation: id, rating, minutes },
      });
  };

  const sell = (account: Account, age: number, at: number): void => {
    const stages = { 5: "qualified", 14: "proposal", 26: "negotiation", 38: "closed" } as const;
    const stage = stages[age as keyof typeof stages] as (typeof stages)[keyof typeof stages] | undefined; // most days have none
    if (stage === undefined || !account.activated || account.wantedSeats < 25) return;
    const won = account.paidSince >= 0;
    const properties = {
      deal: `deal-${account.id}`,
      stage: stage === "closed" ? (won ? "won" : "lost") : stage,
      amount: account.wantedSeats * prices.business * 12,
      currency: "USD",
    };
    say(at, { name: "Deal stage changed", userId: account.people[0]?.id, account: account.id, properties });
  };

  /** An experiment that changes nothing, and loses one in five of those who get the new colours before they are counted. */
  const seeColours = (person: Person, account: Account, day: number, at: number): void => {
    if (day < truths.mismatch.from || coloured.has(person.id)) return;
    const turn = coloured.size;
    coloured.add(person.id);
    const isNew = turn % 2 === 1;
    if (isNew && Math.floor(turn / 2) % truths.mismatch.lost === 0) return;
    const properties = { experiment: "board colours", variant: isNew ? "new" : "control" };
    say(at, { name: "Experiment viewed", userId: person.id, account: account.id, properties });
  };

  const work = (account: Account, person: Person, midnight: number, day: number): void => {
    const settled = account.activated ? 1 : Math.max(0, 1 - (day - person.joined) / 10);
    const novelty = account.automates ? truths.release.factor : 1;
    const calendar = isWeekend(midnight) ? 0.2 : 1;
    if (!chance.is(person.habit * settled * novelty * calendar)) return;
    let at = midnight + workingHour(chance);
    const who = { userId: person.id, account: account.id };
    const session = `${person.id}-${day}`;
    const properties = { client: person.client, app_version: versionOn(day) };
    say(at, { name: "Session started", ...who, session, properties });
    seeColours(person, account, day, at + 500);
    for (let n = chance.count(1.2); n > 0; n -= 1) {
      at += chance.whole(1, 20) * 60_000;
      const name = chance.among([["Task created", 30], ["Task completed", 28], ["Comment added", 22], ["Board viewed", 14], ["Report viewed", 6]] as const); // prettier-ignore
      say(at, { name, ...who, session, properties });
    }
    if (day >= truths.release.day && account.plan === "business" && chance.is(account.automates ? 0.1 : 0.03)) {
      account.automates = true;
      say(at + 60_000, { name: "Automation created", ...who, session, properties });
    }
  };

  const growTeam = (account: Account, day: number, midnight: number): void => {
    if (!account.activated || account.people.length >= account.wantedSeats) return;
    const joining = Math.min(chance.count(account.wantedSeats / 40), account.wantedSeats - account.people.length);
    for (let n = 0; n < joining; n += 1) {
      const person = newPerson(day);
      const inviter = account.people[chance.whole(0, account.people.length - 1)];
      const at = midnight + workingHour(chance);
      account.people.push(person);
      say(at, {
        name: "Teammate invited",
        userId: inviter?.id,
        account: account.id,
        properties: { invited: person.id },
      });
      visit(at + 1_800_000, person.device, 1);
      say(at + 2_400_000, {
        name: "Invite accepted",
        userId: person.id,
        anonymousId: person.device,
        account: account.id,
        properties: { client: person.client },
        personTraits: [{ op: "set", traits: { name: person.name, email: `${person.id}@example.com`, role: "member" } }],
      });
    }
  };

  const leave = (account: Account, day: number, at: number): void => {
    account.churned = day;
    const who = { userId: account.people[0]?.id, account: account.id };
    const reason = account.leavesOn === day ? "price policy" : chance.pick(["price", "missing feature", "closed down"]);
    say(at, {
      name: "Subscription cancelled",
      ...who,
      properties: { plan: account.plan, reason },
      accountTraits: [{ op: "set", traits: { plan: "cancelled" } }],
    });
  };

  const live = (account: Account, day: number, midnight: number): void => {
    if (account.churned >= 0) return;
    const age = day - account.born;
    const at = midnight + workingHour(chance);
    growTeam(account, day, midnight);
    sell(account, age, at);
    if (account.activated && account.plan === "free" && age === 14 + (account.wantedSeats % 16) && chance.is(0.55))
      subscribe(account, day, at);
    if (account.paidSince >= 0) {
      if ((day - account.paidSince) % 30 === 0) invoice(account, day, at + 60_000);
      const { seatMinimum } = truths;
      const complains =
        day >= seatMinimum.day && account.people.length < 10 && account.leavesOn < 0 && chance.is(0.0012);
      if (complains) {
        converse(account, "seat minimum", at);
        account.leavesOn = chance.is(seatMinimum.churn) ? day + chance.whole(7, seatMinimum.withinDays) : Infinity;
      } else if (chance.is(0.006)) {
        converse(account, chance.among([["how-to", 40], ["bug", 25], ["billing", 15], ["feature", 20]] as const), at); // prettier-ignore
      }
      if (day === account.leavesOn || chance.is(truths.monthlyChurn / 30)) leave(account, day, at + 120_000);
    }
    for (const person of account.people) if (person.joined < day) work(account, person, midnight, day);
  };

  for (let day = 0; day < companyDays; day += 1) {
    const midnight = start + day * dayMs;
    today = [];
    for (const account of accounts) live(account, day, midnight);
    // the company grows fourfold over its history
    const pace = (0.4 + 1.2 * (day / companyDays)) * (isWeekend(midnight) ? 0.4 : 1.24) * scale;
    for (let n = chance.count(2.75 * pace); n > 0; n -= 1) startAccount(day, midnight);
    for (let n = chance.count(12 * pace); n > 0; n -= 1) {
      visitors += 1;
      const at = midnight + workingHour(chance);
      touch(at, `visitor-${visitors}`, chance.among(channelShares));
      visit(at + 60_000, `visitor-${visitors}`, chance.whole(1, 3));
    }
    for (const channel of Object.keys(channels) as Channel[]) {
      const spend = Math.round(channels[channel].spend * (0.8 + chance.number() * 0.4) * pace * 100) / 100;
      if (spend > 0) say(midnight + 82_800_000, { name: "Campaign spend", userId: team.marketing, properties: { channel, amount: spend, currency: "USD" } }); // prettier-ignore
    }
    if (day === truths.release.day)
      say(midnight + 36_000_000, {
        name: "Feature released",
        userId: team.product,
        properties: { feature: "Automations" },
      });
    if (day === truths.seatMinimum.day)
      say(midnight + 36_000_000, {
        name: "Policy changed",
        userId: team.product,
        properties: { policy: "seat minimum" },
      });
    yield today.filter((event) => (event.at ?? 0) < end).sort((a, b) => (a.at ?? 0) - (b.at ?? 0));
  }
}
