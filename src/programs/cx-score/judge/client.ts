import { z } from "zod";
import { Refusal } from "#kernel/refusal.ts";
import type { Outbound } from "#kernel/outbound.ts";
import {
  answerSchema,
  judgementIn,
  messagesFor,
  repairFor,
  type JudgedTurn,
  type Judgement,
  type Message,
} from "./prompt.ts";

/** Asks a language model behind an endpoint that speaks as OpenAI's chat completions do. */

export interface Endpoint {
  /** Such as https://api.example.com/v1 or http://localhost:11434/v1. */
  readonly address: string;
  readonly model: string;
  readonly key: string;
  readonly region: string;
}

export interface Judged {
  /** Undefined where no answer could be used; `problem` says why. */
  readonly judgement: Judgement | undefined;
  readonly problem: string;
  readonly tokensIn: number;
  readonly tokensOut: number;
}

const [mostBytes, waitMs, mostTokens] = [2_000_000, 60_000, 1_500];
const Completion = z.looseObject({
  choices: z.array(z.looseObject({ message: z.looseObject({ content: z.string().nullish(), refusal: z.string().nullish() }) })).min(1), // prettier-ignore
  usage: z.looseObject({ prompt_tokens: z.number().default(0), completion_tokens: z.number().default(0) }).nullish(),
});

/** How an answer is held to its schema; servers differ in what they take. */
const formats = [
  { type: "json_schema", json_schema: { name: "judgement", strict: true, schema: answerSchema } },
  { type: "json_object" },
  undefined,
] as const;

/** Which of them an endpoint takes, as it was found out. */
const taken = new Map<string, number>();

const completionsOf = (address: string): string => new URL("chat/completions", address.endsWith("/") ? address : `${address}/`).href; // prettier-ignore

const failed = (status: number, body: string): Refusal =>
  new Refusal("judge.status", status === 401 || status === 403 ? "The endpoint does not take this key." : status === 429 ? "The endpoint asked to wait." : `The endpoint answered with ${status}: ${body.replaceAll(/\s+/g, " ").slice(0, 200)}`); // prettier-ignore

const complete = async (outbound: Outbound, endpoint: Endpoint, messages: readonly Message[], signal: AbortSignal) => {
  const { address, model, key, region } = endpoint;
  const known = `${address} ${model}`;
  for (let at = taken.get(known) ?? 0; ; at += 1) {
    const format = formats[at];
    const body = JSON.stringify({ model, messages, temperature: 0, max_tokens: mostTokens, ...(format === undefined ? {} : { response_format: format }) }); // prettier-ignore
    const headers = { "content-type": "application/json", ...(key === "" ? {} : { authorization: `Bearer ${key}` }) };
    const answer = await outbound.ask({ address: completionsOf(address), method: "POST", headers, body, region, signal, mostBytes, waitMs }); // prettier-ignore
    // a server that does not know the field refuses the request
    if ((answer.status === 400 || answer.status === 422) && at < formats.length - 1) continue;
    if (answer.status !== 200) throw failed(answer.status, answer.body);
    taken.set(known, at);
    let value: unknown;
    try {
      value = JSON.parse(answer.body);
    } catch {
      throw new Refusal("judge.answer", "The endpoint answered with something that is no JSON.");
    }
    const read = Completion.safeParse(value);
    if (!read.success) throw new Refusal("judge.answer", "The endpoint does not answer as OpenAI's chat completions do."); // prettier-ignore
    const { choices, usage } = read.data;
    const [first] = choices;
    return { text: first?.message.content ?? first?.message.refusal ?? "", tokensIn: usage?.prompt_tokens ?? 0, tokensOut: usage?.completion_tokens ?? 0 }; // prettier-ignore
  }
};

/** One judgement; asked a second time where the first answer cannot be used. Throws where the endpoint cannot be had. */
export const judge = async (outbound: Outbound, endpoint: Endpoint, turns: readonly JudgedTurn[], signal: AbortSignal): Promise<Judged> => {
  let messages: readonly Message[] = messagesFor(turns);
  let [tokensIn, tokensOut, problem] = [0, 0, ""];
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const answer = await complete(outbound, endpoint, messages, signal);
    tokensIn += answer.tokensIn;
    tokensOut += answer.tokensOut;
    try {
      return { judgement: judgementIn(answer.text, turns), problem: "", tokensIn, tokensOut };
    } catch (error) {
      problem = error instanceof Error ? error.message : "It cannot be used.";
      messages = repairFor(messagesFor(turns), answer.text, problem);
    }
  }
  return { judgement: undefined, problem: problem.slice(0, 300), tokensIn, tokensOut };
}; // prettier-ignore
