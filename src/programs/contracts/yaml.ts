import { stringify } from "yaml";

/** A document as a file: what stands in two places is written twice, since readers refuse many aliases. */
export const yamlOf = (document: unknown): string => stringify(document, { aliasDuplicateObjects: false });
