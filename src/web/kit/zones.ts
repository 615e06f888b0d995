/** IANA zones that this browser knows, and UTC, which its list leaves out. */
export const zones: readonly string[] = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];
