/** One conversation as each of the systems gives it out. */

export const intercom = {
  type: "conversation", id: "147", created_at: 1_700_000_000, state: "closed", title: null, ai_agent_participated: true,
  source: { type: "conversation", id: "403", subject: "", body: "<p>My <b>invoice</b> is wrong &amp; late</p>", author: { type: "user", id: "667", name: "Ana" } },
  contacts: { contacts: [{ id: "667", external_id: "ana" }] }, company: { company_id: "acme" }, tags: { tags: [{ name: "billing" }] }, conversation_rating: { rating: 2 }, team_assignee_id: 5, admin_assignee_id: 9,
  conversation_parts: { conversation_parts: [
    { id: "1", part_type: "comment", body: "<p>Please see the article.</p>", created_at: 1_700_000_010, author: { type: "bot", id: "b", name: "Fin" } },
    { id: "2", part_type: "assignment", body: null, created_at: 1_700_000_020, author: { type: "bot", id: "b" } },
    { id: "3", part_type: "note", body: "<p>Angry one</p>", created_at: 1_700_000_030, author: { type: "admin", id: "9", name: "Bo" } },
    { id: "4", part_type: "comment", body: "<p>I refunded it.</p><script>evil()</script>", created_at: 1_700_000_040, author: { type: "admin", id: "9", name: "Bo" } },
    { id: "5", part_type: "comment", body: null, redacted: true, created_at: 1_700_000_050, author: { type: "user", id: "667" } },
  ] },
}; // prettier-ignore
export const zendesk = {
  id: 35, created_at: "2026-03-01T10:00:00Z", status: "solved", subject: "Late", description: "Where is it?", via: { channel: "email" }, requester_id: 7, organization_id: 3, group_id: 2, tags: ["vip"], satisfaction_rating: { score: "bad_with_comment" },
  comments: [
    { id: 1, author_id: 7, plain_body: "Where is it?", body: "x", public: true, created_at: "2026-03-01T10:00:00Z" },
    { id: 2, author_id: 8, html_body: "<div>On its way<br>today</div>", public: true, created_at: "2026-03-01T11:00:00Z" },
    { id: 3, author_id: 8, body: "VIP, hurry", public: false, created_at: "2026-03-01T11:01:00Z" },
  ],
}; // prettier-ignore
export const chatwoot = {
  id: 12, created_at: 1_700_000_000, status: "resolved", labels: ["bug"], meta: { channel: "Channel::WebWidget", sender: { id: 4, identifier: "cy" }, assignee: { name: "Bo" }, team: { name: "support" } },
  messages: [
    { id: 1, content: "It crashes", message_type: 0, sender_type: "Contact", private: false, created_at: 1_700_000_000 },
    { id: 2, content: "Try again", message_type: 1, sender_type: "AgentBot", private: false, created_at: 1_700_000_005 },
    { id: 3, content: "Bo joined", message_type: 2, private: false, created_at: 1_700_000_006 },
    { id: 4, content: "Check his plan", message_type: 1, sender_type: "User", private: true, created_at: 1_700_000_007 },
    { id: 5, content: "This message was deleted", message_type: 0, sender_type: "Contact", private: false, created_at: 1_700_000_008, content_attributes: { deleted: true } },
  ],
}; // prettier-ignore
