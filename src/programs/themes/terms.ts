import { wordsOf } from "../cx-score/scorer/text.ts";

/** Words by which conversations are told apart: what everybody says in any of them is left out. */

const common = new Set(
  `a an the this that these those and or but if then so than because while as of to in on at by for from with about into over after before under
  between out up down off again i you he she it we they me him her us them my your his its our their mine yours myself yourself who whom which what when where why how
  is am are was were be been being do does did done doing have has had having can could will would shall should may might must not no yes ok okay
  hi hello hey dear good morning afternoon evening day thank thanks please sorry regards sincerely best cheers welcome bye
  just only also very really too much many more most some any all both each few other another such same own now here there still already yet ever never always
  get got getting go going went come make made take want wanted need needed like would know think see look say said tell told try tried trying use used using give let
  help support team agent customer question issue problem anyone someone something anything nothing everything thing things way time today yesterday tomorrow week
  one two first last next new old able back well even since until during without within maybe perhaps actually currently however
  awful terrible horrible bad worst worse poor great nice excellent amazing awesome perfect lovely fantastic wonderful love loved hate easy easier easily hard difficult annoying annoyed frustrating
  frustrated useless disappointed disappointing happy unhappy angry ridiculous unacceptable stupid sad glad hope wish finally quickly simply completely absolutely totally
  i'm don dont im ive cant wont didn isn doesn etc via per re ll ve s t d m 0
  ich die der das den dem und nicht ist sie ein eine einen mein meine bitte danke wie hallo für mit auf von aber auch noch habe haben kann wird sind wir ihr zu im es
  je le la les et vous est pas mon ma mes ne bonjour merci une un pour mais que qui dans sur avec ce cette suis avez il elle nous des du en au
  el los las que no mi mis por hola gracias una un para es con pero muy como se lo al del en su sus está tengo puedo
  que não meu minha por olá obrigado obrigada uma um para com você mas os as da do no na em se está tenho
  il lo gli che non per ciao grazie una un con mio mia sono ma della del di da ho
  ik de het een niet mijn bedankt van voor maar wat met je dat in op kan heb`.split(/\s+/),
);

const endings: readonly (readonly [ending: string, put: string, least: number])[] = [
  ["ies", "y", 5], ["sses", "ss", 6], ["xes", "x", 5], ["ches", "ch", 6], ["shes", "sh", 6], ["ations", "ate", 8], ["ation", "ate", 7], ["ings", "", 7], ["ing", "", 6], ["ied", "y", 5], ["ed", "", 5], ["s", "", 4],
]; // prettier-ignore

/** A word without its ending, so that `charged`, `charges` and `charging` are one; light, and of English alone. */
export const stemOf = (word: string): string => {
  if (word.endsWith("ss") || word.endsWith("us") || word.endsWith("is")) return word;
  const found = endings.find(([ending, , least]) => word.length >= least && word.endsWith(ending));
  if (found === undefined) return word.length > 4 && word.endsWith("e") ? word.slice(0, -1) : word;
  const stem = word.slice(0, word.length - found[0].length) + found[1];
  const isDoubled = /([bdfgmnprt])\1$/.test(stem) && found[0] !== "s";
  const whole = isDoubled ? stem.slice(0, -1) : stem;
  return whole.length > 4 && whole.endsWith("e") ? whole.slice(0, -1) : whole;
};

/** Of a text, and between the two words of a pair, in characters. */
const [longest, farthest] = [1_200, 15];
const isWord = (word: string): boolean => word.length > 2 && /\p{L}/u.test(word) && !common.has(word);

/** Between two words of a term of two. */
export const joint = " ";

export interface Terms {
  /** How often each is said. */
  readonly counts: ReadonlyMap<string, number>;
  /** As it was written, for each. */
  readonly written: ReadonlyMap<string, string>;
}

/** Terms of a text: stems, and pairs of those that stand side by side. What stands in for something personal is none. */
export const termsOf = (text: string): Terms => {
  const counts = new Map<string, number>();
  const written = new Map<string, string>();
  const put = (term: string, as: string): void => {
    counts.set(term, (counts.get(term) ?? 0) + 1);
    if (!written.has(term)) written.set(term, as);
  };
  let before: { stem: string; word: string; end: number } | undefined;
  const read = text.replaceAll(/\[[A-Z_]+(?: [^[\]]*)?\]/g, " ").slice(0, longest);
  for (const { word, start, end } of wordsOf(read)) {
    if (!isWord(word)) continue;
    const stem = stemOf(word);
    put(stem, word);
    // a pair leaps over small words, and not over the end of a sentence
    const isPair = before !== undefined && before.stem !== stem && start - before.end < farthest && !/[.!?;\n]/.test(read.slice(before.end, start)); // prettier-ignore
    if (before !== undefined && isPair) put(`${before.stem}${joint}${stem}`, `${before.word} ${word}`);
    before = { stem, word, end };
  }
  return { counts, written };
};

/** So much tells what a conversation is about; most begin with a greeting, and end with what has become of it. */
const [mostTurns, enoughWords] = [3, 12];

/** What a customer wrote first of a conversation: turns until something is said. */
export const openingOf = (turns: readonly string[]): string => {
  const taken: string[] = [];
  for (const turn of turns.slice(0, mostTurns)) {
    taken.push(turn);
    if (wordsOf(taken.join("\n")).length >= enoughWords) break;
  }
  return taken.join("\n");
};
