import { isOpening, type Word } from "./text.ts";
import { learn } from "./vocabulary.ts";

/**
 * What is said in support conversations, by what it means. Written from how support goes wrong and right, not from any
 * corpus; no names of products or trades. Words are as `wordsOf` gives them: no contractions.
 */

/** Numbers in words, where phrases have them in digits. */
const numbers = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "several"];
const spelt = (phrase: string): string[] =>
  /\b0 (?:days|weeks|months|hours|times)\b/.test(phrase) ? numbers.map((number) => phrase.replace("0", number)) : [];

/** What those who answer have done, also where a clause begins with it: `Refunded 14.90`. */
const deeds = ["activated", "added", "adjusted", "applied", "arranged", "assigned", "booked", "cancelled", "canceled", "changed", "completed", "corrected", "created", "credited", "enabled", "extended", "fixed", "increased", "issued", "moved", "ordered", "processed", "put", "rebooked", "refunded", "raised", "released", "removed", "renewed", "replaced", "replayed", "resent", "reset", "restored", "returned", "scheduled", "sent", "shipped", "swapped", "switched", "unlocked", "unsubscribed", "updated", "upgraded", "waived"]; // prettier-ignore

export const phrases = {
  thanks: ["thank you", "thanks", "thank u", "thx", "ty", "many thanks", "much appreciated", "appreciate it", "appreciate your help", "i appreciate", "really appreciate", "cheers", "grateful", "thankful", "want to thank", "like to thank", "must thank", "thank the", "thank your", "thank him", "thank her"],
  solved: [
    "works now", "work now", "working now", "it works", "it worked", "that worked", "this worked", "works again", "working again", "works fine", "working fine", "works perfectly", "works great", "now it works", "that did it", "did the trick",
    "is solved", "been solved", "got solved", "problem solved", "issue solved", "it solved", "solved it", "solved my", "is resolved", "been resolved", "got resolved", "resolved now", "resolved my", "is fixed", "been fixed", "got fixed", "fixed now", "fixed it", "fixed my", "that fixed",
    "problem is gone", "issue is gone", "all set", "all good now", "all sorted", "sorted now", "got sorted", "that is sorted", "that helps", "that helped", "this helped", "that is helpful", "very helpful", "so helpful", "super helpful", "been helpful", "you helped", "exactly what i needed", "exactly what i wanted", "just what i needed", "that is what i needed", "that is all i needed", "that answers", "answers my question", "answered my question", "got it now", "i see it now", "found it now", "received it", "got my refund", "got the refund", "refund arrived", "it arrived", "back to normal", "up and running", "good to go", "no more problems", "that was easy", "was able to", "i understand now", "makes sense now", "that makes sense", "that clears it up", "clears things up", "normal now", "is normal", "ok now", "okay now", "fine now", "good now", "better now", "is back now", "back online", "back up now", "arrived now", "here now", "here already", "just arrived", "has arrived", "that was it", "match now", "off now", "gone now", "found it",
    "phew", "seems ok", "seems fine", "seems to work", "seems to be working",
  ],
  accepts: ["sounds good", "sounds great", "sounds perfect", "that works", "works for me", "perfect", "great", "ok great", "okay great", "awesome", "excellent", "wonderful", "yes please", "that is fine", "that is great", "that is perfect", "that is good", "good enough", "no that is all", "that is all", "that will be all", "that is it", "got it", "understood", "i see", "will do", "no problem", "all right", "alright"],
  praise: [
    "great", "patient", "professional", "love your", "love the", "like your", "thoughtful", "sweet", "is good", "was good", "are good", "good attitude", "good experience", "good thing", "good one", "good quality", "good news for", "nice people", "so nice", "very nice", "is nice", "was nice", "perfect", "compliment", "hats off", "well deserved", "great service", "good service", "excellent service", "great support", "good support", "great help", "good job", "great job", "well done", "nice work", "great work", "keep it up", "you are great", "you are awesome", "you are amazing", "you are the best", "you rock", "love it", "i love", "love you", "love this", "so happy", "very happy", "really happy", "am happy", "so glad", "am glad", "very satisfied", "so satisfied", "am satisfied", "impressed", "amazing", "fantastic", "brilliant", "outstanding", "superb", "lifesaver", "life saver", "so kind", "and kind", "is kind", "was kind", "kind and", "very kind", "so nice of you", "very nice of you", "made my day", "recommend you", "thumbs up for", "five stars", "thumbs up", "well handled", "quick response", "quick reply", "fast response", "fast reply", "so fast", "so quick", "very fast", "very quick", "patient with me", "polite", "friendly", "helpful", "delighted", "pleased", "thrilled", "fabulous", "terrific", "considerate", "attentive", "warm hearted", "heartwarming", "touched", "efficient", "conscientious", "reliable", "trustworthy", "praise", "like it", "really good", "very good", "so good", "pretty good", "excellent", "wonderful", "awesome", "was quick", "that is quick", "quick answer", "quick help", "quick turnaround", "quick fix", "was fast", "is fast", "are fast", "super fast", "super quick", "fast answer", "fast delivery", "the best service", "best service", "best support", "best customer", "the best i", "the best company", "the best app", "the best ever", "are the best", "best ever", "saved me", "saved my day", "speed is", "lightning fast", "a raise", "high efficiency", "efficiency is high",
    "finally someone who",
  ],
  negative: [
    "bad", "terrible", "awful", "horrible", "horrendous", "worst", "worse", "poor", "poorly", "useless", "disappointing", "disappointed", "disappoint", "disappointment", "ridiculous", "unacceptable", "pathetic", "appalling", "dreadful", "abysmal", "rubbish", "garbage", "crap", "crappy", "sucks", "suck", "hate", "angry", "furious", "annoyed", "annoying", "irritating", "irritated", "frustrated", "frustrating", "frustration", "upset", "unhappy", "fed up", "sick of", "tired of", "had enough", "joke", "nonsense", "speechless", "outrageous", "outraged", "disgusting", "disgusted", "disgrace", "disgraceful", "shame", "shameful", "embarrassing", "nightmare", "disaster", "hopeless", "helpless", "painful", "unbelievable", "absurd", "incompetent", "unprofessional", "rude", "careless", "irresponsible", "dishonest", "misleading", "misled", "unfair", "unreasonable", "waste of time", "wasted my time", "waste of money", "wasting my time", "not happy", "not satisfied", "not acceptable", "not good", "not good enough", "not impressed", "not helpful", "not helping", "not fair", "not right", "no help", "dissatisfied", "unsatisfied", "let down", "messed up", "screwed", "regret", "trouble", "troublesome", "bother", "pissed", "mad", "sad", "worried", "stressful", "stressed", "depressed", "desperate", "sigh", "alas", "damn", "slow", "lousy", "shabby", "ruined", "inconvenient", "inconvenience", "complicated", "cumbersome", "unreliable", "unstable", "expensive", "too much", "what a", "what kind of service", "what kind of company", "is this how you", "how can you", "how could you", "what is wrong with", "what is the point", "do you even", "are you kidding", "kidding me", "you call this", "nothing has been done", "nothing was done", "nothing is done", "really bad", "so bad", "very bad", "too bad", "so slow", "too slow", "very slow", "so poor", "too poor", "are you serious", "you must be joking", "treat me", "treat your customers", "treat customers", "what an attitude", "bad attitude", "how can it be", "so troublesome",
    "your mistake", "your fault", "your error", "no one told", "nobody told", "without telling", "without notice", "without asking", "without my consent", "without permission", "small print", "fine print", "never ordered", "never agreed", "never signed", "never subscribed", "you promised", "was promised", "were promised", "promised me", "losing money", "losing orders", "losing customers", "lost money", "wasted",
  ],
  strong: [
    "wtf", "wth", "fuck", "fucking", "fucked", "shit", "shitty", "bullshit", "bs", "asshole", "bastard", "bitch", "idiot", "idiots", "idiotic", "stupid", "moron", "morons", "dumb", "trash", "shameless", "robbery", "robber", "robbers", "robbing", "scam", "scammer", "scammers", "scammed", "cheat", "cheated", "cheating", "cheater", "fraud", "fraudulent", "liar", "liars", "lied", "lying", "lies", "rip off", "ripoff", "ripped off", "thief", "thieves", "steal", "stealing", "stole", "stolen from me", "go to hell", "hell", "damn you", "screw you", "shut up", "garbage company", "crooks", "extortion", "bully", "bullying", "deceive", "deceived", "deceiving", "deception", "hooligan", "rogue", "disgusting", "outrageous", "furious", "worst", "hate", "absolutely unacceptable", "totally unacceptable", "completely unacceptable", "how dare", "enough is enough", "sick and tired", "losing patience", "lost patience", "out of patience", "ridiculous", "pathetic", "appalling",
  ],
  threat: [
    "am leaving", "i am done", "done with you", "done with this", "cancel everything", "switch to another", "switch to a", "switching to", "will switch", "going to switch", "move to another", "change to another", "change provider", "take my business", "going elsewhere", "go elsewhere", "leave you", "leaving you", "never again", "never use", "never buy", "never shop", "never come back", "will not use", "will not buy", "not use you again", "last time i", "lose a customer", "losing a customer", "lost a customer", "lost me as a customer", "report you", "report this", "will report", "going to report", "file a complaint", "make a complaint", "formal complaint", "official complaint", "complain to", "complain about you", "will complain", "going to complain", "lodge a complaint", "complaint against", "lawyer", "attorney", "sue", "legal action", "take legal", "small claims", "court", "ombudsman", "trading standards", "better business bureau", "consumer protection", "consumer association", "regulator", "chargeback", "charge back", "dispute the charge", "expose you", "bad review", "negative review", "tell everyone", "warn others", "warn people", "media", "your competitor", "your competitors", "a competitor", "the competition", "another provider", "another company", "look elsewhere", "reconsidering", "reconsider the", "take our business",
    "never ordering", "never buying", "never shopping", "never booking", "never flying", "never coming back", "never order from", "never buy from", "calling my bank", "call my bank", "one star",
  ],
  // asks for it, or threatens with it: as it sounds
  leaves: ["cancelling my", "canceling my", "cancel my subscription", "cancel my account", "cancel my service", "cancel my contract", "cancel my membership", "cancel my plan", "close my account", "delete my account", "want to cancel", "going to cancel", "will cancel", "am cancelling", "am canceling", "cancelling it", "canceling it", "cancelling everything", "closing my account", "closing the account"],
  unsolved: [
    "still not", "still no", "still can not", "still does not", "still has not", "still have not", "still is not", "still did not", "still will not", "still the same", "still getting", "still having", "still waiting", "still nothing", "still broken", "still down", "still wrong", "still an issue", "still a problem", "still there", "does not work", "do not work", "did not work", "not working", "not work", "will not work", "stopped working", "no longer works", "does not help", "did not help", "do not help", "not helped", "does not solve", "did not solve", "not solve", "not solved", "not resolved", "not fixed", "never solved", "never resolved", "never fixed", "unresolved", "unsolved", "can not be solved", "no solution", "no response", "no reply", "no answer", "not answered", "never answered", "never replied", "never responded", "did not reply", "did not answer", "did not respond", "nobody answers", "nobody replied", "nobody cares", "nobody helps", "no one answers", "no one replied", "no one cares", "no one helps", "no one answered", "nobody answered", "no one has", "nobody has", "same problem", "same issue", "same error", "same thing", "same answer", "keeps happening", "happened again", "happening again", "down again", "broken again", "wrong again", "came back", "that is not what i", "not what i asked", "not what i said", "not what i meant", "not what i want", "not my question", "not the answer", "not an answer", "did not answer my", "does not answer", "missed the point", "you do not understand", "not understanding", "you are not listening", "not listening", "wrong answer", "wrong information", "that is wrong", "that is not right", "that is not true", "that is incorrect", "not correct", "makes no sense", "not make sense", "useless", "no use", "to no avail", "in vain", "tried that", "already tried", "tried everything", "nothing works", "nothing happens", "nothing happened", "nothing changed", "thanks for nothing", "thank you for nothing", "thanks for wasting", "thank you for wasting", "thanks for ignoring", "thanks for not", "great job ruining", "what now", "then what", "so what", "that is it ?", "that is all ?", "really ?", "seriously ?", "that long ?", "so long ?",
    "no one came", "nobody came", "no one called", "nobody called", "never called", "never came", "not received", "never received", "did not receive", "never arrived", "not arrived", "did not arrive", "tried same", "no difference", "no luck", "no effect", "i give up", "forget it", "supposed to do",
    "done all of", "tried all of", "did all of", "done that already", "did that already", "already did that", "already done that",
  ],
  effort: [
    "second time", "third time", "fourth time", "fifth time", "0 times", "0rd time", "0th time", "0nd time", "two times", "three times", "four times", "five times", "several times", "many times", "multiple times", "countless times", "so many times", "too many times", "how many times", "time and again", "again and again", "over and over", "once again", "every time", "for the last time", "for weeks", "for days", "for months", "for hours", "for ages", "for a week", "for a month", "for two weeks", "for three weeks", "for 0 weeks", "for 0 days", "for 0 months", "for 0 hours", "for over", "for more than", "0 days", "0 weeks", "0 months", "0 hours", "half a month", "half a day", "whole day", "all day", "all morning", "days ago", "weeks ago", "months ago", "a week ago", "a month ago", "since yesterday", "since last week", "since last", "any update", "any updates", "any news", "any progress", "following up", "follow up", "chasing", "been waiting", "have waited", "am waiting", "keep waiting", "waiting for", "how long", "how much longer", "when will", "when can i", "already told", "already said", "already sent", "already gave", "already provided", "already explained", "already did", "already done", "already contacted", "already called", "already asked", "as i said", "like i said", "as i mentioned", "i told you", "i said", "told me to", "repeat myself", "repeating myself", "explain again", "ask again", "asked again", "keep asking", "keep calling", "keep getting", "kept getting", "transferred", "passed around", "passed from", "sent around", "in circles", "another department", "different person", "different agent", "different answers", "call back", "called back", "on hold", "in the queue", "called 0", "called the", "called several", "called many", "i called", "i have called", "i emailed", "i have emailed", "i wrote", "contacted you", "contacted support", "in the store", "went to the", "back and forth", "runaround", "run around", "kick the ball", "no progress", "get through to", "can not get through", "hung up on", "took the day off", "0 days ago", "0 weeks ago", "second email", "third email", "my first mail", "my first email", "my last email", "finally",
    "anyone there", "anybody there", "are you there", "please reply", "took a day off", "take a day off",
  ],
  escalate: ["real person", "real human", "a human", "human being", "human agent", "human please", "live agent", "live person", "live chat", "an agent", "speak to someone", "talk to someone", "speak with someone", "talk with someone", "speak to a", "talk to a", "speak with a", "talk with a", "speak to an", "talk to an", "manager", "supervisor", "your boss", "someone else", "operator", "not a bot", "not a robot", "stupid bot", "talking to a bot", "talking to a robot", "a representative", "customer service representative"],
  confused: ["what do you mean", "do not understand", "not understand", "do not get it", "am confused", "confusing", "confused", "huh", "not clear", "unclear", "not sure what", "what does that mean", "which one"],
  corrects: ["no i meant", "i meant", "not that", "that is not", "no not", "i did not ask", "i did not say", "i asked for", "i said i", "you misunderstood", "wrong one", "read my", "read what i", "you said"],

  // of those who answer
  refuses: [
    "unfortunately", "i can not", "we can not", "can not help", "can not be", "can not do", "can not process", "can not provide", "can not offer", "can not change", "can not find", "can not see", "can not access", "can not guarantee", "could not find", "could not be", "could not locate", "not able to", "unable to", "is not possible", "not possible", "impossible", "not available", "is unavailable", "no availability", "not currently", "no longer available", "no longer", "do not have", "does not have", "do not offer", "do not support", "does not support", "not supported", "not allowed", "not permitted", "not eligible", "does not qualify", "not authorized", "not entitled", "against our policy", "our policy", "per our policy", "policy does not", "non refundable", "no refund", "no refunds", "not refundable", "not found", "no results", "nothing found", "no record", "no records", "no information", "no match", "not recognize", "not recognise", "did not understand", "do not understand", "did not get that", "not sure i understand", "could you rephrase", "please rephrase", "do not know", "not know", "not sure", "am afraid", "is denied", "was denied", "been denied", "rejected", "declined", "failed", "has expired", "sold out", "out of stock", "fully booked", "no other option", "no other options", "nothing we can do", "nothing i can do", "beyond our", "outside of our", "out of my hands", "has to be", "will have to", "you must", "only if", "such is", "no such", "sorry but", "at this time", "at the moment we", "cannot", "incorrect", "does not exist", "not valid", "invalid", "not yet", "error occurred", "went wrong", "could not complete", "there are no", "is full", "try again later",
    "for the time being", "are full", "no eta", "no agents", "only apply",
    "try another", "try a different",
  ],
  defers: [
    "contact us", "contact our", "contact the", "contact your", "please contact", "get in touch with", "reach out to", "call us", "call our", "call the", "please call", "hotline", "helpline", "customer service number", "private message", "private messages", "direct message", "send us a message", "message us", "privately", "dm", "dms", "inbox us", "email us", "email our", "write to us", "send an email", "send us an email", "visit our", "visit the", "visit your", "go to the nearest", "local store", "local branch", "business hall", "nearest store", "please wait", "wait for", "wait a", "be patient", "your patience", "bear with", "hold on", "one moment", "a moment", "later", "at a later", "in the near future", "as soon as possible", "asap", "look into", "looking into", "investigate", "investigating", "forward your", "forwarded", "forward it", "forward this", "pass on", "passed on", "pass it", "pass this", "escalate", "escalated", "escalating", "get back to you", "come back to you", "will be in touch", "will contact you", "will call you", "will reply", "will respond", "will inform", "will notify", "will let you know", "contact you", "check with", "will check", "am checking", "let me check", "verify", "relevant department", "relevant team", "relevant staff", "relevant personnel", "the team", "our team", "specialist", "technical team", "engineers", "technicians", "support team", "open a ticket", "opened a ticket", "created a ticket", "raise a ticket", "raised a ticket", "submit a", "submitted", "report it", "feedback", "your feedback", "business days", "working days", "within 0 hours", "within 0 days", "0 hours", "0 business", "we will", "i will transfer", "transfer you", "transferring you", "connect you", "follow up", "pay attention to", "please pay attention", "stay tuned", "keep an eye",  "to be determined", "subject to", "try again", "documentation", "help center", "help centre", "the faq", "our faq", "our website", "our site", "tracking page", "pricing page", "terms of service", "please review", "please check the", "learn more", "has been noted", "will get back",
    "aware of an issue", "aware of the issue", "aware of this", "aware of the problem", "under construction", "status page", "you can follow",
    "can vary", "may vary", "vary with", "vary by", "depends on", "depend on", "may be due to", "several reasons", "various reasons", "consult a", "in due course", "was noted", "your opinion", "passed this on", "refer to", "for more information", "read our", "conditions of",
  ],
  answers: [
    "you can", "you could", "you may", "you should be able", "you need to", "you will need to", "please try", "try to", "try the", "click", "tap", "press", "select", "choose", "open the", "go to", "navigate to", "settings", "restart", "reboot", "reinstall", "update the", "update your", "clear your", "log out", "log in", "sign in", "sign out", "turn off", "turn on", "switch off", "switch on", "switch to", "enter the", "enter your", "type in", "reply with", "text 0", "send 0", "download", "install", "uncheck", "check the box", "follow these steps", "the following steps", "steps", "step 0", "first", "then", "next", "finally", "here is", "here are", "this is the", "it is because", "because", "the reason", "this means", "it means", "that means", "in order to", "http", "https", "www", "the price is", "it costs", "costs", "starts at", "is located", "the address", "opening hours", "is open", "the code is", "is available", "are available", "is included", "supports", "yes you", "yes it", "yes we", "yes there", "no you do not", "can be",
  ],
  done: [
    ...deeds.flatMap((deed) => [`have ${deed}`, `been ${deed}`, `i ${deed}`, `we ${deed}`]),
    "i am sending", "we are sending", "sending you a", "sending a replacement", "i locked",
    "on his way", "on her way", "on their way", "is on the way", "alarm set", "reminder set",
    "attached", "enclosed", "here you go", "here it is", "i have refunded", "refund has been", "refund was", "is booked", "booked you", "i sent", "just sent", "is fixed", "now fixed", "has been credited", "is activated", "is now active", "is unlocked", "now unlocked", "is restored", "has been restored", "been confirmed", "is confirmed", "are confirmed", "is scheduled", "is complete", "is completed", "is done", "all done", "all set", "successfully", "has been resolved", "been resolved", "is resolved", "now resolved", "you are all set", "should work now", "should now", "works now", "good news", "been approved", "is approved", "i see that", "found your", "i found", "have found", "we found", "is set for", "is now set", "made the change", "you are booked", "is all yours",
  ],
  sorry: ["sorry", "apologies", "apologise", "apologize", "my bad", "our fault", "our mistake", "my mistake", "regret"],
  empathy: ["i understand", "we understand", "understand your", "understand how", "can imagine", "appreciate your patience", "thank you for your patience", "that must be", "know how frustrating", "sounds frustrating", "happy to help", "glad to help", "here to help"],
  asks: ["could you", "can you", "would you", "may i have", "can i have", "can i get", "please provide", "please share", "please send", "please tell", "please let", "please give", "please confirm", "please enter", "tell us", "let us know", "let me know", "provide your", "provide the", "what is your", "which", "where are you", "when did", "have you tried", "do you have", "what kind", "what time", "how many"],
  closes: ["anything else", "have a great", "have a good", "have a nice", "have a wonderful", "you are welcome", "my pleasure", "no problem", "goodbye", "good bye", "bye", "glad to", "glad i could", "happy to have", "pleasure to", "enjoy your", "take care", "thank you for contacting", "thank you for choosing", "thanks for contacting", "best wishes", "wish you", "happy life", "have a"],
  greets: ["hello", "hi", "hey", "good morning", "good afternoon", "good evening", "dear customer", "dear", "welcome"],
  automatic: ["out of office", "automatic reply", "auto reply", "automated response", "automated message", "do not reply to this", "unmonitored", "on annual leave", "on vacation until", "delivery has failed", "undeliverable", "mailer daemon"],

  // what it is about
  product: [
    "app", "website", "site", "page", "software", "version", "bug", "bugs", "buggy", "crash", "crashes", "crashed", "crashing", "freezes", "frozen", "glitch", "error", "errors", "login", "log in", "sign in", "password", "loading", "load", "screen", "button", "feature", "features", "interface", "design", "layout", "navigation", "search", "notification", "notifications", "sync", "device", "phone", "laptop", "computer", "battery", "camera", "signal", "network", "internet", "connection", "wifi", "broadband", "speed", "data", "outage", "server", "system", "service is down", "performance", "quality", "product", "item", "package", "parcel", "delivery", "delivered", "shipping", "shipment", "courier", "order", "size", "material", "colour", "color", "defective", "defect", "damaged", "broken", "faulty", "missing", "installation", "setup", "onboarding", "tutorial", "documentation", "integration", "dashboard", "report", "export", "import", "card", "machine", "room", "food", "seat", "flight", "clean", "dirty", "noise", "update", "upgrade", "compatibility", "lag", "laggy", "slow", "drops", "dropped calls", "call quality", "reception", "coverage", "disconnects", "disconnected", "wish there was", "would be nice", "would be great if", "feature request", "please add", "should have", "it would help", "missing feature", "does not work", "not working",
  ],
  policy: [
    "refund", "refunds", "refunded", "return policy", "returns", "fee", "fees", "charge", "charges", "charged", "overcharged", "double charged", "billed", "billing", "bill", "invoice", "payment", "price", "prices", "pricing", "price increase", "cost", "costs", "cancellation", "cancel", "cancellation fee", "contract", "commitment", "terms", "conditions", "terms and conditions", "policy", "policies", "rule", "rules", "regulation", "warranty", "guarantee", "compensation", "compensate", "voucher", "credit", "discount", "promotion", "promo", "coupon", "offer", "eligibility", "eligible", "limit", "limits", "restriction", "restrictions", "penalty", "fine", "deposit", "deadline", "expire", "expired", "expiry", "subscription", "auto renew", "renewal", "renewed", "tariff", "package fee", "deduct", "deducted", "deduction", "verification", "identity", "id card", "real name", "documents", "exchange rate", "transfer limit", "top up", "minimum", "maximum", "points", "loyalty", "membership", "allowance", "baggage", "unlimited", "throttle", "hidden", "tax", "customs", "privacy", "age limit", "country", "region",
  ],
} as const; // prettier-ignore

export type Sign = keyof typeof phrases;
export const signs = Object.keys(phrases) as readonly Sign[]; // its own keys

/** The signs of phrases that end at a node; the first node is where phrases begin. */
const ends: Sign[][] = [[]];
/** Nodes by the node before them and the number of a word: key and node beside each other, in the next place where one is taken. */
const edges = new Int32Array(1 << 15);
/** Above every number of a word. */
const most = 1 << 13;

/** Where the edge is, or may be put. */
const edgeAt = (node: number, id: number): number => {
  const key = node * most + id;
  let place = (Math.imul(key, 0x9e3779b1) >>> 18) * 2;
  while (edges[place] !== 0 && edges[place] !== key) place = (place + 2) & (edges.length - 1);
  return place;
};

for (const sign of signs)
  for (const phrase of phrases[sign].flatMap((one) => [one, ...spelt(one)])) {
    let node = 0;
    for (const word of phrase.split(" ")) {
      const id = learn(word);
      const place = edgeAt(node, id);
      if (edges[place] === 0) [edges[place], edges[place + 1]] = [node * most + id, ends.push([]) - 1];
      node = edges[place + 1] ?? 0;
    }
    const all = ends[node] ?? [];
    if (!all.includes(sign)) all.push(sign);
  }
// with fewer free places it would be searched for long
if (ends.length * 4 > edges.length) throw new Error("the phrases need more edges");

export interface Hit {
  readonly sign: Sign;
  /** Places among the words: from, and after the last. */
  readonly from: number;
  readonly to: number;
}

/** Words that turn a feeling into its opposite, where they stand up to three words before it. */
const negations = new Set(["not", "never", "no", "nothing", "hardly", "without", "neither"]);
const turned: Partial<Record<Sign, Sign>> = { praise: "negative", solved: "unsolved", accepts: "negative" };
const softened = new Set<Sign>(["negative", "strong"]);

const good = new Set<Sign>(["thanks", "praise", "accepts", "solved"]);
const bad = new Set<Sign>(["unsolved", "negative", "strong", "threat"]);

/** How often each sign stands in something. */
export type Counts = Readonly<Record<Sign, number>>;
const zeros = Object.fromEntries(signs.map((sign) => [sign, 0])) as Record<Sign, number>; // of all signs
/** All of one shape, so that reading them is cheap. */
export const noCounts = (): Record<Sign, number> => ({ ...zeros });

const isNegated = (words: readonly Word[], from: number): boolean => {
  for (let at = Math.max(0, from - 3); at < from; at += 1) if (negations.has(words[at]?.word ?? "")) return true;
  return false;
};

/** The node after another by a word; 0 where no phrase goes on so. */
const after = (node: number, word: Word | undefined): number =>
  word === undefined || word.id === 0 ? 0 : (edges[edgeAt(node, word.id) + 1] ?? 0);

const none: readonly Hit[] = [];

/** Puts a hit in place of one of the same sign from the same word, which is shorter. */
const note = (hits: Hit[], first: number, hit: Hit): void => {
  for (let at = first; at < hits.length; at += 1)
    if (hits[at]?.sign === hit.sign) {
      hits[at] = hit;
      return;
    }
  hits.push(hit);
};

const deedIds = new Set([...deeds, "done"].map(learn));
/** Deeds that a clause of a text begins with, and that no phrase has put down. */
export const openingDeeds = (words: readonly Word[], text: string, heard: readonly Hit[]): readonly Hit[] => {
  let found: Hit[] | undefined;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === undefined || !deedIds.has(word.id) || !isOpening(text, word.start)) continue;
    if (heard.some(({ sign, from, to }) => sign === "done" && from <= at && at < to)) continue;
    (found ??= []).push({ sign: "done", from: at, to: at + 1 });
  }
  return found ?? none;
};

/** Every phrase in a turn; the longest of each sign from a place. A negated praise is a complaint, a negated complaint is nothing. */
export const hitsIn = (words: readonly Word[]): readonly Hit[] => {
  let hits: Hit[] | undefined;
  for (let from = 0; from < words.length; from += 1) {
    let node = after(0, words[from]);
    if (node === 0) continue;
    const first: number = hits?.length ?? 0;
    let before: boolean | undefined;
    for (let to = from + 1; node !== 0; to += 1) {
      const said = ends[node] ?? [];
      for (let place = 0; place < said.length; place += 1) {
        const sign = said[place] ?? "thanks";
        before ??= isNegated(words, from);
        const meant = before ? (turned[sign] ?? (softened.has(sign) ? undefined : sign)) : sign;
        if (meant === undefined) continue;
        hits ??= [];
        note(hits, first, { sign: meant, from: meant === sign ? from : Math.max(0, from - 2), to });
      }
      node = after(node, words[to]);
    }
    if (hits === undefined || hits.length === first) continue;
    // `thanks for nothing` is no thanks
    let worst = 0;
    for (let at = first; at < hits.length; at += 1) if (bad.has(hits[at]?.sign ?? "thanks")) worst = Math.max(worst, hits[at]?.to ?? 0); // prettier-ignore
    for (let at = hits.length - 1; at >= first; at -= 1) if (good.has(hits[at]?.sign ?? "thanks") && (hits[at]?.to ?? 0) < worst) hits.splice(at, 1); // prettier-ignore
  }
  return hits ?? none;
};
