import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, body, type Schemas } from "../../api/client";
import { queries, whoami } from "../../api/queries";
import { signIn } from "../../api/session";
import { useWho } from "../../base/session";
import { Failed } from "../../base/states";
import { Button } from "../../ui/Button";
import { Dialog, tell } from "../../ui/Dialogs";
import { Select, TextField } from "../../ui/Fields";
import { Notice } from "../../ui/Layout";
import { ROLES, isForAll, type Role } from "./roles";

const LASTS = ["30d", "90d", "365d", "never"] as const;

/** Makes a key; what comes of it is shown this once, so neither a click beside the dialog nor Escape closes that. */
export function Make({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { t } = useTranslation("keys");
  const [made, setMade] = useState<Schemas["MadeKey"]>();
  const close = () => {
    setMade(undefined);
    onClose();
    void queries.invalidateQueries({ queryKey: ["keys"] });
  };
  return (
    <Dialog title={made ? t("made") : t("make")} isOpen={isOpen} onClose={close} alert stays={made !== undefined}>
      {made ? <Made made={made} onClose={close} /> : <Form onMade={setMade} onClose={close} />}
    </Dialog>
  );
}

function Form({ onMade, onClose }: { onMade: (made: Schemas["MadeKey"]) => void; onClose: () => void }) {
  const { t } = useTranslation("keys");
  const { t: base } = useTranslation();
  const who = useWho();
  // Nobody is told apart yet: the first key closes this machine, so it must be one that can make others.
  const isFirst = who !== undefined && !who.role;
  const own = who && who.owner !== "*" ? who.owner : "";
  const [role, setRole] = useState<Role>(isFirst ? "operator" : "planner");
  const [owner, setOwner] = useState(own || "*");
  const [lasts, setLasts] = useState<string>("90d");
  const [comment, setComment] = useState("");
  const [caller, setCaller] = useState("");
  const making = useMutation({
    mutationFn: async () => {
      const wanted: Schemas["NewKey"] = { role, owner: isForAll(role) ? "*" : owner.trim() };
      if (lasts !== "never") wanted.expires = lasts;
      if (comment.trim() !== "") wanted.comment = comment.trim();
      if (role === "bidder" && caller.trim() !== "") wanted.caller = caller.trim();
      const made = await body(api.POST("/api/v1/keys", { body: wanted }));
      // The key is shown whether or not it could be entered: it is the only one, and nobody is told of it twice.
      const entered = isFirst && made.key ? await signIn(made.key).catch(() => undefined) : undefined;
      if (entered) queries.setQueryData(whoami.queryKey, entered);
      return made;
    },
    onSuccess: onMade,
  });
  const choices = ROLES.filter((one) => !(own !== "" && isForAll(one)) && (!isFirst || one === "operator"));
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        making.mutate();
      }}
    >
      {isFirst && <Notice tone="warn">{t("first")}</Notice>}
      <Select
        label={t("column.role")}
        hint={t(`may.${role}`)}
        choices={choices.map((id) => ({ id, name: t(`role.${id}`) }))}
        value={role}
        onChange={(id) => setRole(ROLES.find((one) => one === id) ?? role)}
      />
      <TextField
        label={t("column.owner")}
        hint={isForAll(role) ? t("ownerAll") : t("ownerHint")}
        value={isForAll(role) || isFirst ? "*" : owner}
        onChange={setOwner}
        isDisabled={own !== "" || isForAll(role) || isFirst}
        isRequired
      />
      {role === "bidder" && (
        <TextField label={t("column.caller")} hint={t("callerHint")} value={caller} onChange={setCaller} />
      )}
      <Select
        label={t("lasts")}
        choices={LASTS.map((id) => ({ id, name: t(`last.${id}`) }))}
        value={lasts}
        onChange={setLasts}
      />
      <TextField
        label={t("column.comment")}
        hint={t("commentHint")}
        value={comment}
        onChange={setComment}
        maxLength={256}
      />
      {making.error && <Failed error={making.error} />}
      <div className="row" style={{ justifyContent: "flex-end" }}>
        <Button onPress={onClose} isDisabled={making.isPending}>
          {base("cancel")}
        </Button>
        <Button type="submit" look="primary" isPending={making.isPending}>
          {t("make")}
        </Button>
      </div>
    </form>
  );
}

function Made({ made, onClose }: { made: Schemas["MadeKey"]; onClose: () => void }) {
  const { t } = useTranslation("keys");
  const key = made.key ?? "";
  const copy = () => {
    // Without TLS browsers have no clipboard for pages: then the text is selected by hand.
    const copied = navigator.clipboard?.writeText(key) ?? Promise.reject(new Error("no clipboard"));
    copied.then(
      () => tell(t("copied")),
      () => tell(t("notCopied"), "bad"),
    );
  };
  return (
    <div className="stack">
      <Notice tone="warn" live>
        {t("once")}
      </Notice>
      <TextField label={t("text")} value={key} isReadOnly autoFocus onFocus={(event) => selectAll(event.target)} />
      <div className="row" style={{ justifyContent: "flex-end" }}>
        <Button onPress={copy}>{t("copy")}</Button>
        <Button look="primary" onPress={onClose}>
          {t("kept")}
        </Button>
      </div>
    </div>
  );
}

function selectAll(field: Element): void {
  if (field instanceof HTMLInputElement) field.select();
}
