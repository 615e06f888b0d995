/** What the people and companies of the demo are called, and what they write. All of it is made up. */

export const firstNames = ["Ada", "Ben", "Chiara", "Dmitri", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Keiko", "Liam", "Mara", "Nadia", "Omar", "Priya", "Quentin", "Rosa", "Samir", "Tomas", "Uma", "Vera", "Wei", "Yara", "Zoe"] as const; // prettier-ignore
export const lastNames = ["Abbott", "Bauer", "Costa", "Diaz", "Eriksen", "Fischer", "Garcia", "Haddad", "Ivanova", "Jensen", "Kowalski", "Laurent", "Meyer", "Nguyen", "Okafor", "Patel", "Quinn", "Rossi", "Sato", "Torres", "Ueda", "Varga", "Weber", "Young", "Zhang"] as const; // prettier-ignore
export const companyStarts = ["Alder", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Indigo", "Juniper", "Kestrel", "Lumen", "Meridian", "North", "Orchard", "Pioneer", "Quarry", "River", "Summit", "Tundra"] as const; // prettier-ignore
export const companyEnds = ["Analytics", "Build", "Care", "Design", "Energy", "Foods", "Garage", "Health", "Interiors", "Labs", "Logistics", "Media", "Partners", "Robotics", "Studio", "Systems", "Travel", "Works"] as const; // prettier-ignore
export const industries = ["software", "agency", "retail", "health", "construction", "education"] as const;
export const countries = ["US", "US", "US", "GB", "DE", "DE", "FR", "NL", "ES", "IN", "BR", "JP"] as const;
export const templates = ["kanban", "roadmap", "sprint", "launch plan", "blank"] as const;

export const topics = {
  "how-to": [
    "How do I move tasks between boards without losing their comments?",
    "Is there a way to repeat a task every second Friday?",
    "Where can I see what my teammates did this week?",
  ],
  bug: [
    "The board stays blank after I drag a card on Firefox.",
    "Notifications arrive twice since this morning.",
    "Export of the report stops at page 3 every time.",
  ],
  billing: [
    "Our last invoice shows seats of people who left in March.",
    "Can you put our VAT number on the invoices?",
    "We would like to pay by the year instead of monthly.",
  ],
  "seat minimum": [
    "You now ask us to pay for at least ten seats. We are six. This is not what we signed up for.",
    "The new seat minimum makes this twice as expensive for us. Please make an exception or we will leave.",
    "Why was nobody told about the seat minimum before the renewal? We are looking at other tools.",
  ],
  feature: [
    "Could tasks have more than one owner?",
    "We miss a calendar view. Is it planned?",
    "It would be great to have the automations on the Team plan too.",
  ],
} as const;
export type Topic = keyof typeof topics;
