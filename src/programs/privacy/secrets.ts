import { RE2JS } from "re2js";
import { entropy } from "./checks.ts";
import type { Candidate } from "./text.ts";

/**
 * Secrets by the formats that their issuers publish: a prefix, a length, an alphabet. Rules are data, and run in linear
 * time; a rule runs only where one of its marks is in the text.
 */
interface SecretRule {
  readonly id: string;
  /** In small letters; one of them is in every text that can match. Plain, but for character classes. */
  readonly marks: readonly string[];
  readonly pattern: string;
  /** Which group of the pattern is the secret; the whole where it is not said. */
  readonly group?: number;
  /** Bits a character at least; what is more regular is an example. */
  readonly entropy?: number;
}

const notBefore = "(?:^|[^0-9A-Za-z_])";
const rules: readonly SecretRule[] = [
  { id: "github_pat", marks: ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], pattern: `${notBefore}(gh[pousr]_[0-9A-Za-z]{36})(?:$|[^0-9A-Za-z])`, group: 1, entropy: 3 },
  { id: "github_fine_grained_pat", marks: ["github_pat_"], pattern: `${notBefore}(github_pat_[0-9A-Za-z_]{70,82})`, group: 1, entropy: 3 },
  { id: "gitlab_pat", marks: ["glpat-"], pattern: `${notBefore}(glpat-[0-9A-Za-z_-]{20})`, group: 1, entropy: 3 },
  { id: "aws_access_key_id", marks: ["akia", "asia", "abia", "acca"], pattern: `${notBefore}((?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})(?:$|[^0-9A-Za-z])`, group: 1, entropy: 2.5 },
  { id: "aws_secret_access_key", marks: ["aws"], pattern: `(?i)aws.{0,20}?(?:secret|key).{0,20}?["' :=]{1,5}([0-9A-Za-z/+]{40})(?:$|[^0-9A-Za-z/+])`, group: 1, entropy: 3.5 },
  { id: "stripe_secret_key", marks: ["sk_live_", "sk_test_"], pattern: `${notBefore}(sk_(?:live|test)_[0-9A-Za-z]{10,247})`, group: 1, entropy: 3 },
  { id: "stripe_restricted_key", marks: ["rk_live_", "rk_test_"], pattern: `${notBefore}(rk_(?:live|test)_[0-9A-Za-z]{10,247})`, group: 1, entropy: 3 },
  { id: "slack_bot_token", marks: ["xoxb-"], pattern: `${notBefore}(xoxb-[0-9]{8,14}-[0-9A-Za-z-]{18,64})`, group: 1 },
  { id: "slack_user_token", marks: ["xoxp-", "xoxe-"], pattern: `${notBefore}(xox[pe]-[0-9]{8,14}-[0-9]{8,14}-[0-9A-Za-z-]{28,80})`, group: 1 },
  { id: "slack_app_token", marks: ["xapp-"], pattern: `${notBefore}(xapp-[0-9]-[0-9A-Z]+-[0-9]+-[0-9a-z]{32,80})`, group: 1 },
  { id: "slack_webhook", marks: ["hooks.slack.com"], pattern: "https?://hooks\\.slack\\.com/(?:services|workflows|triggers)/[0-9A-Za-z+/]{30,80}" },
  { id: "sendgrid_key", marks: ["sg\\."], pattern: `${notBefore}(SG\\.[0-9A-Za-z_-]{16,32}\\.[0-9A-Za-z_-]{16,64})`, group: 1, entropy: 3 },
  { id: "telegram_bot_token", marks: [":aa"], pattern: `${notBefore}([0-9]{8,10}:AA[0-9A-Za-z_-]{33})(?:$|[^0-9A-Za-z_-])`, group: 1 },
  { id: "mailchimp_key", marks: ["-us"], pattern: `${notBefore}([0-9a-f]{32}-us[0-9]{1,2})(?:$|[^0-9A-Za-z])`, group: 1, entropy: 3 },
  { id: "openai_key", marks: ["t3blbkfj"], pattern: `${notBefore}(sk-[0-9A-Za-z_-]{20,80}T3BlbkFJ[0-9A-Za-z_-]{20,80})`, group: 1 },
  { id: "anthropic_key", marks: ["sk-ant-"], pattern: `${notBefore}(sk-ant-(?:api|admin)[0-9]{2}-[0-9A-Za-z_-]{80,110}AA)(?:$|[^0-9A-Za-z_-])`, group: 1 },
  { id: "google_api_key", marks: ["aiza"], pattern: `${notBefore}(AIza[0-9A-Za-z_-]{35})(?:$|[^0-9A-Za-z_-])`, group: 1, entropy: 3 },
  { id: "npm_token", marks: ["npm_"], pattern: `${notBefore}(npm_[0-9A-Za-z]{36})(?:$|[^0-9A-Za-z])`, group: 1, entropy: 3 },
  { id: "huggingface_token", marks: ["hf_"], pattern: `${notBefore}(hf_[0-9A-Za-z]{34})(?:$|[^0-9A-Za-z])`, group: 1, entropy: 3 },
  { id: "shopify_token", marks: ["shpat_", "shpss_", "shpca_", "shppa_"], pattern: `${notBefore}(shp(?:at|ss|ca|pa)_[0-9a-fA-F]{32})(?:$|[^0-9A-Za-z])`, group: 1 },
  { id: "discord_bot_token", marks: ["[mno][0-9a-z_-]{23,27}\\.[0-9a-z_-]{6}\\."], pattern: `${notBefore}([MNO][0-9A-Za-z_-]{23,27}\\.[0-9A-Za-z_-]{6}\\.[0-9A-Za-z_-]{27,40})(?:$|[^0-9A-Za-z_-])`, group: 1, entropy: 3.5 },
  { id: "private_key", marks: ["private key"], pattern: "(?s)-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----.{64}.*?-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----" },
  { id: "basic_auth_url", marks: ["://"], pattern: "[A-Za-z][0-9A-Za-z+.-]{1,20}://[^\\s/:@?#\"'<>]{0,100}:[^\\s/@?#\"'<>]{3,200}@" },
  { id: "jwt", marks: ["eyj"], pattern: `${notBefore}(eyJ[0-9A-Za-z_-]{10}[0-9A-Za-z_-]*\\.eyJ[0-9A-Za-z_-]+\\.?[0-9A-Za-z_-]*)`, group: 1 },
  { id: "password", marks: ["passw", "pwd", "passphrase"], pattern: `(?i)(?:^|[^a-z])(?:password|passwd|passwort|pwd|passphrase)["']?\\s{0,3}(?::|=|=>|\\bis\\b)\\s{0,3}["']?([^\\s"'&,;<>]{6,128})`, group: 1 },
  { id: "generic_secret", marks: ["secret", "token", "api_key", "apikey", "api-key", "access_key", "auth"], pattern: `(?i)(?:^|[^a-z])(?:[a-z0-9]{0,20}[_-])?(?:secret|token|api[_-]?key|access[_-]?key|auth[_-]?token|client[_-]?secret|authtoken)["']?\\s{0,3}(?::|=|=>)\\s{0,3}["']?(?:Bearer )?([0-9A-Za-z_.=/+-]{16,200})(?:$|[^0-9A-Za-z_.=/+-])`, group: 1, entropy: 3.5 },
]; // prettier-ignore

const compiledRules = rules.map((rule) => ({ ...rule, mark: new RegExp(rule.marks.join("|"), "i"), compiled: RE2JS.compile(rule.pattern) })); // prettier-ignore
/** Most texts hold none of the marks, which one look tells. */
const anyMark = new RegExp(rules.flatMap(({ marks }) => marks).join("|"), "i");
/** Names that say that what follows may be read by all, or is no secret. */
const open = /public|csrf|next_?page|page_?token|publishable|example|sample|count|length|expir|_id$/i;

const isPlaceholder = (secret: string): boolean =>
  /EXAMPLE|\$\{|\{\{|<[^>]*>|x{4,}|X{4,}|\*{3,}|\.{3}|your[_-]|changeme|placeholder|redacted/i.test(secret) ||
  new Set(secret).size <= 3;

/** A signed or unsigned token whose first part says how it is signed. */
const isToken = (text: string): boolean => {
  try {
    const head: unknown = JSON.parse(Buffer.from(text.split(".")[0] ?? "", "base64url").toString("utf8"));
    return typeof head === "object" && head !== null && "alg" in head;
  } catch {
    return false;
  }
};

/** The least that a password has: something besides letters, so that prose after "password:" is none. */
const isPassword = (text: string): boolean =>
  /[^A-Za-z]/.test(text) && !/^\(|\)$|^\d{1,5}$|^(true|false|null|none)$/i.test(text);

const accepts = ({ id, entropy: least = 0 }: SecretRule, secret: string, before: string): boolean => {
  if (isPlaceholder(secret) || entropy(secret) < least) return false;
  if (id === "jwt") return isToken(secret);
  if (id === "password") return isPassword(secret);
  if (id !== "generic_secret") return true;
  const name = /[\w-]+["']?\s*[:=>]*\s*["']?(?:Bearer )?$/i.exec(before)?.[0] ?? "";
  return !open.test(name) && /\d/.test(secret) && !/^[\w-]+(\.[\w-]+)+$/.test(secret);
};

export const secretsIn = (text: string): Candidate[] => {
  if (!anyMark.test(text)) return [];
  return compiledRules
    .filter(({ mark }) => mark.test(text))
    .flatMap((rule) => {
      const matcher = rule.compiled.matcher(text);
      const found: Candidate[] = [];
      while (matcher.find()) {
        const [start, end] = [matcher.start(rule.group ?? 0), matcher.end(rule.group ?? 0)];
        if (!accepts(rule, text.slice(start, end), text.slice(Math.max(0, start - 60), start))) continue;
        const score = rule.id === "generic_secret" || rule.id === "password" ? 0.7 : 0.97;
        found.push({ type: "SECRET", subtype: rule.id, start, end, score, detector: `${rule.id}/1` });
      }
      return found;
    });
};
