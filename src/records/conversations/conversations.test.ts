import { describe, expect, it } from "vitest";
import { chatwoot, intercom, zendesk } from "#test/conversations.ts";
import { conversationOf } from "./formats.ts";
import { IncomingConversation } from "./incoming.ts";

const read = (value: unknown) => IncomingConversation.parse(conversationOf(value));

describe("conversations of other systems", () => {
  it("come with roles, notes, ratings and what was taken back, as text", () => {
    expect(read(intercom)).toMatchObject({ id: "intercom 147", userId: "ana", account: "acme", channel: "conversation", state: "closed", tags: ["billing"], rating: 2, team: "5", createdAt: 1_700_000_000_000 }); // prettier-ignore
    expect(read(intercom).parts.map(({ role, text, private: isNote }) => [role, text, isNote])).toEqual([
      ["customer", "My invoice is wrong & late", false],
      ["ai_agent", "Please see the article.", false],
      ["teammate", "Angry one", true],
      ["teammate", "I refunded it.", false],
      ["customer", "", false],
    ]);
    expect(read(zendesk)).toMatchObject({ id: "zendesk 35", userId: "zendesk 7", account: "3", channel: "email", state: "closed", rating: 1 }); // prettier-ignore
    expect(read(zendesk).parts.map(({ role, text, private: isNote }) => [role, text, isNote])).toEqual([["customer", "Where is it?", false], ["teammate", "On its way\ntoday", false], ["teammate", "VIP, hurry", true]]); // prettier-ignore
    expect(read({ ...zendesk, comments: undefined }).parts).toMatchObject([{ role: "customer", text: "Where is it?" }]);
    expect(read(chatwoot)).toMatchObject({ id: "chatwoot 12", userId: "cy", channel: "WebWidget", team: "support", state: "closed" }); // prettier-ignore
    expect(read(chatwoot).parts.map(({ role, text, private: isNote }) => [role, text, isNote])).toEqual([["customer", "It crashes", false], ["ai_agent", "Try again", false], ["system", "Bo joined", false], ["teammate", "Check his plan", true], ["customer", "", false]]); // prettier-ignore
    expect(() => conversationOf({ requester_id: 1, id: 2 })).toThrow("created_at");
    expect(() => conversationOf(7)).toThrow("no object");
  });
});
