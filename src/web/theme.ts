import { createTheme } from "@mantine/core";

/** One accent, five sizes of type, steps of 4 px; AA contrast in light and dark. */
export const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: 8,
  autoContrast: true,
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  fontSizes: { xs: "12px", sm: "14px", md: "16px", lg: "20px", xl: "28px" },
  spacing: { xs: "4px", sm: "8px", md: "16px", lg: "24px", xl: "32px" },
  defaultRadius: "sm",
  components: {
    // a word that says how things stand is never cut
    Badge: { styles: { root: { minWidth: "max-content" } } },
    Modal: { defaultProps: { closeButtonProps: { "aria-label": "Close" } } },
    InputWrapper: { styles: { description: { color: "var(--mantine-color-text)" } } },
  },
  headings: { sizes: { h1: { fontSize: "28px" }, h2: { fontSize: "20px" }, h3: { fontSize: "16px" } } },
});
