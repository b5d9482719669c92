import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialogs";
import { TextField } from "../../ui/Fields";

interface TypedConfirmProps {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  onConfirm: () => void;
  pending: boolean;
}

/** Asks for a word before what cannot be undone. */
export function TypedConfirm({ title, isOpen, onClose, onConfirm, pending }: TypedConfirmProps) {
  return (
    <Dialog title={title} isOpen={isOpen} onClose={onClose} alert>
      <Word onClose={onClose} onConfirm={onConfirm} pending={pending} />
    </Dialog>
  );
}

/** Within the dialog, so that every time it opens the word is to be typed again. */
function Word({ onClose, onConfirm, pending }: Omit<TypedConfirmProps, "title" | "isOpen">) {
  const { t } = useTranslation(["privacy", "base"]);
  const [word, setWord] = useState("");
  const meant = word.trim().toUpperCase() === t("word");
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (meant) onConfirm();
      }}
    >
      <p>{t("deletionForGood")}</p>
      <TextField
        label={t("typeWord", { word: t("word") })}
        value={word}
        onChange={setWord}
        autoComplete="off"
        autoFocus
      />
      <div className="row" style={{ justifyContent: "flex-end" }}>
        <Button onPress={onClose}>{t("base:cancel")}</Button>
        <Button type="submit" look="danger" isDisabled={!meant} isPending={pending}>
          {t("delete")}
        </Button>
      </div>
    </form>
  );
}
