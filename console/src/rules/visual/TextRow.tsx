import { useEffect, useState } from "react";
import { Input, TextField } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { replace } from "../edits";
import { nodeOf, type Leaf } from "../query";
import { readRule } from "../reading";
import styles from "./Visual.module.css";
import { useBuilder } from "./context";

/** A condition as its own text: for what has no fields, and for whoever writes faster than they choose. */
export function TextRow({ leaf }: { leaf: Leaf }) {
  const { t } = useTranslation("rules");
  const { edit, owner } = useBuilder();
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState("");
  const key = JSON.stringify(leaf.value);
  const [read, setRead] = useState("null");
  const owned = owner === undefined ? {} : { owner };
  useEffect(() => {
    // What was written here is known; what came from elsewhere is printed.
    if (leaf.value === null || key === read) return undefined;
    const stale = new AbortController();
    readRule({ tree: leaf.value, ...(owner !== undefined && { owner }) }, stale.signal).then(
      (answer) => {
        if (stale.signal.aborted) return;
        setText(answer.rule ?? "");
        setWrong(answer.errors[0]?.detail ?? "");
        setRead(key);
      },
      () => {
        // The other side of the rule says that the server does not answer.
      },
    );
    return () => stale.abort();
  }, [key, read, leaf.value, owner]);
  const commit = () => {
    if (text.trim() === "") return;
    readRule({ rule: text, ...owned }, new AbortController().signal).then(
      ({ tree, errors }) => {
        setWrong([errors[0]?.detail, errors[0]?.help].filter(Boolean).join(": "));
        if (tree === null) return;
        const node = nodeOf(tree);
        if ("field" in node) setRead(JSON.stringify(node.value));
        const not = node.not !== leaf.not;
        edit((query) =>
          replace(query, leaf.id, () => [{ ...node, not, id: leaf.id, ...("field" in node && { asText: true }) }]),
        );
      },
      (error: Error) => setWrong(error.message),
    );
  };
  return (
    <TextField
      aria-label={t("asTextRow")}
      className={`field ${styles.text}`}
      value={text}
      onChange={setText}
      onBlur={commit}
      onKeyDown={(event) => event.key === "Enter" && commit()}
      isInvalid={wrong !== ""}
    >
      <Input className="input mono" placeholder={t("textPlaceholder")} autoComplete="off" spellCheck={false} />
      {wrong !== "" && (
        <span role="alert" className="field-error">
          {wrong}
        </span>
      )}
    </TextField>
  );
}
