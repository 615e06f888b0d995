import { TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";

/** A search that stands in the address: the box, and the text to ask for once typing pauses. */
export const useSearchBox = (description: string): { asked: string; box: ReactNode } => {
  const given: Record<string, unknown> = useSearch({ strict: false });
  const search = typeof given["search"] === "string" ? given["search"] : "";
  const navigate = useNavigate();
  const [asked] = useDebouncedValue(search, 200);
  const box = (
    <TextInput
      label="Search"
      description={description}
      maw={400}
      value={search}
      onChange={(event) =>
        void navigate({ to: ".", search: { search: event.currentTarget.value } as never, replace: true })
      }
    />
  );
  return { asked, box };
};
