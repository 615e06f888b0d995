import { autocompletion, closeCompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { sql, StandardSQL, type SQLNamespace } from "@codemirror/lang-sql";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { tags } from "@lezer/highlight";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { useEffect, useRef } from "react";

/** Readable on both grounds. */
const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "light-dark(#6b21a8, #d0bfff)" },
  { tag: [tags.string, tags.number, tags.bool, tags.null], color: "light-dark(#0b6b53, #8ce99a)" },
  { tag: tags.comment, color: "light-dark(#5c5f66, #b0b3ba)" },
]);

const look = EditorView.theme({
  "&": { border: "1px solid var(--mantine-color-default-border)", borderRadius: "4px", fontSize: "14px" },
  "&.cm-focused": { outline: "2px solid var(--mantine-primary-color-filled)" },
  ".cm-content": { minHeight: "160px", caretColor: "var(--mantine-color-text)" },
  ".cm-scroller": { maxHeight: "480px" },
  ".cm-cursor": { borderLeftColor: "var(--mantine-color-text)" },
  ".cm-gutters": { background: "transparent", color: "var(--mantine-color-text)", border: "none" },
  ".cm-placeholder": { color: "var(--mantine-color-text)", opacity: "0.7" },
});

interface SqlEditorProps {
  readonly label: string;
  readonly text: string;
  /** Names to complete: columns by table. */
  readonly names: SQLNamespace;
  readonly change: (text: string) => void;
  /** Ctrl or ⌘ with Enter. */
  readonly run: () => void;
}

/** A box for SQL, with the names of tables and columns at hand. Tab leaves it, as every other box. */
export default function SqlEditor({ label, text, names, change, run }: SqlEditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef({ change, run });
  useEffect(() => {
    latest.current = { change, run };
  });
  useEffect(() => {
    if (place.current === null) return;
    const made = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: text,
        extensions: [
          Prec.highest(
            keymap.of([
              {
                key: "Mod-Enter",
                run: (editor) => {
                  closeCompletion(editor);
                  latest.current.run();
                  return true;
                },
              },
            ]),
          ),
          keymap.of([...completionKeymap, ...historyKeymap, ...defaultKeymap]),
          history(),
          lineNumbers(),
          autocompletion(),
          sql({ dialect: StandardSQL, schema: names }),
          syntaxHighlighting(colours),
          placeholder("SELECT event, count() AS times FROM events GROUP BY event ORDER BY times DESC"),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": label }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.change(update.state.doc.toString());
          }),
          look,
        ],
      }),
    });
    view.current = made;
    return () => made.destroy();
    // made once for the names; the text follows below
    // eslint-disable-next-line react/exhaustive-deps
  }, [names, label]);
  useEffect(() => {
    const held = view.current;
    if (held !== null && held.state.doc.toString() !== text)
      held.dispatch({ changes: { from: 0, to: held.state.doc.length, insert: text } });
  }, [text]);
  return <div ref={place} />;
}
