import type { IncomingEvent } from "#records/events/incoming.ts";
import type { Topic } from "./words.ts";

/** The conversations of the made-up company, written out: what its support events say that there was. All of it is made up. */

type Said = readonly (readonly [role: "customer" | "ai_agent" | "teammate", text: string])[];

/** How each goes on after the customer's first words; the first of them where it is rated badly. */
const courses: Readonly<Record<Topic, { readonly bad: readonly Said[]; readonly good: readonly Said[] }>> = {
  "seat minimum": {
    bad: [
      [["ai_agent", "Our plans start at ten seats. Is there anything else I can help with?"], ["customer", "That is ridiculous, we are a small team. Why should we pay for people we do not have? This is a rip off."], ["teammate", "I understand. Unfortunately our policy does not allow fewer seats, so I can not change this for you."]],
      [["ai_agent", "I'm sorry, I did not understand. Could you rephrase?"], ["customer", "The new minimum doubles our bill. I already told your chat bot twice. This is unfair."], ["teammate", "Unfortunately we can not make an exception; the minimum is part of the new terms."], ["customer", "Then we will cancel our subscription."]],
    ],
    good: [[["teammate", "I have talked to the team and you can keep your six seats until the next renewal."], ["customer", "Thank you, that helps."]]],
  },
  bug: {
    bad: [[["ai_agent", "Please try to restart your browser."], ["customer", "I tried that, it still does not work."], ["teammate", "We are looking into it and will get back to you."]]],
    good: [[["ai_agent", "This was a bug in the last version. It has been fixed; please reload the page."], ["customer", "Yes, it works now, thanks!"]]],
  },
  billing: {
    bad: [[["ai_agent", "Please contact our billing team by email."], ["customer", "I did, nobody replied."], ["teammate", "Sorry for the wait, we will check."]]],
    good: [[["teammate", "I have corrected this for you; the new invoice has been sent."], ["customer", "Perfect, thank you for the quick help."]]],
  },
  "how-to": {
    bad: [[["ai_agent", "You can find this in the help center."], ["customer", "I do not see it there. Can somebody explain it?"], ["teammate", "Please open the menu of the board and select what you need."]]],
    good: [[["ai_agent", "You can do this in the menu of the board: open it, select the tasks and press Move."], ["customer", "Got it, that worked. Thanks!"]]],
  },
  feature: {
    bad: [[["ai_agent", "This is not available at this time."], ["customer", "That is a pity."]]],
    good: [[["teammate", "Not yet, but it is planned for the autumn. I have added your vote."], ["customer", "Great, thank you!"]]],
  },
}; // prettier-ignore

const minute = 60_000;

/** A conversation for each support event of a day, with the rating where one followed; as `POST /v1/conversations` takes them. */
export const conversationsIn = (events: readonly IncomingEvent[]): object[] => {
  const ratings = new Map(events.filter(({ name }) => name === "Conversation rated").map(({ properties }) => [properties?.["conversation"], Number(properties?.["rating"])])); // prettier-ignore
  return events.filter(({ name }) => name === "Conversation started").map(({ userId, account, at = 0, properties = {} }, n) => {
    const { conversation, topic, channel, text } = properties as { conversation: string; topic: Topic; channel: string; text: string }; // as the company simulates them
    const rating = ratings.get(conversation);
    const isBad = rating === undefined ? topic === "seat minimum" : rating < 4;
    const choices = courses[topic][isBad ? "bad" : "good"];
    const course = choices[(Math.floor(at / minute) + n) % choices.length] ?? [];
    const turns: Said = [["customer", text], ...course];
    return { id: conversation, userId, account, channel, team: topic === "billing" || topic === "seat minimum" ? "billing" : "support", tags: [topic], state: "closed", rating: rating ?? null, createdAt: at, parts: turns.map(([role, said], place) => ({ id: String(place + 1), role, text: said, at: at + place * 4 * minute })) };
  });
}; // prettier-ignore

/** What a few of them say when they are asked about their work; how often each is asked. */
const interviews: readonly (readonly (readonly [role: "customer" | "teammate", text: string])[])[] = [
  [["teammate", "How do you plan your week?"], ["customer", "When I plan the week, I want to see who is away so that I can move tasks in time. The kanban board is great for that, I love how easy it is to use."], ["teammate", "And what gets in the way?"], ["customer", "There is no way to see the calendar beside the board. The export of the report is awful, it stops half way and I have to do it again."]],
  [["teammate", "Who sees your reports?"], ["customer", "At the end of the month, I have to send a report to my client so that they approve the invoice. The export of the report is excellent, it saves me hours."], ["teammate", "What would you change?"], ["customer", "It would be great to schedule the report by email. The seat minimum is unfair for a team of our size."]],
  [["teammate", "What made you choose us?"], ["customer", "We are trying to get everybody onto one tool. The automations are fantastic, I love them."], ["teammate", "What is missing?"], ["customer", "Please add a dark mode. I wish there was a calendar view. Notifications arrive twice and that is really annoying."]],
]; // prettier-ignore

/** One in so many of those who wrote is asked on the same day. */
const askedEvery = 20;

/** Interviews with some of the people who wrote, as `POST /v1/conversations` takes them. */
export const interviewsIn = (events: readonly IncomingEvent[]): object[] =>
  events.filter(({ name }) => name === "Conversation started").flatMap(({ userId, account, at = 0, properties = {} }) => {
    const { conversation } = properties as { conversation: string };
    const n = Number(/\d+$/.exec(conversation)?.[0] ?? 1);
    if (n % askedEvery !== 0) return [];
    const began = at - 120 * minute;
    const parts = (interviews[(n / askedEvery) % interviews.length] ?? []).map(([role, text], place) => ({ id: String(place + 1), role, author: role === "teammate" ? "Fernly" : "", text, at: began + place * minute }));
    return [{ id: `interview ${conversation}`, kind: "interview", userId, account, channel: "call", subject: "How they work", state: "closed", createdAt: began, parts }];
  }); // prettier-ignore
