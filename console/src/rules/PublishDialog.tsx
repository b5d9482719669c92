/** Publishes definitions, or archives them: says what would happen, asks, and follows them until the bid doors answer from them. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "../base/session";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialogs";
import { Notice } from "../ui/Layout";
import { PublishAsk } from "./PublishAsk";
import { PublishProgress } from "./PublishProgress";
import type { Changed, PublishItem } from "./publishing";

export type { PublishItem } from "./publishing";

interface PublishDialogProps {
  items: readonly PublishItem[];
  isOpen: boolean;
  onClose: () => void;
  /** It is published, and on its way to the bid doors: the dialog stays and shows how far. Every query was told to ask again. */
  onPublished?: (changed: Changed) => void;
}

export function PublishDialog({ items, isOpen, onClose, onPublished }: PublishDialogProps) {
  const { t } = useTranslation("rules");
  const [only] = items;
  const what = only?.archive ? "archive" : "publish";
  const title =
    items.length === 1 && only
      ? t(`publish.${what}One`, { id: only.id })
      : t(`publish.${what}Many`, { count: items.length });
  return (
    <Dialog title={title} isOpen={isOpen} onClose={onClose}>
      <Steps items={items} onClose={onClose} onPublished={onPublished} />
    </Dialog>
  );
}

/** Within the dialog, so that every opening begins anew. */
function Steps({
  items,
  onClose,
  onPublished,
}: Pick<PublishDialogProps, "items" | "onClose"> & { onPublished: PublishDialogProps["onPublished"] }) {
  const { t } = useTranslation(["rules", "base"]);
  const may = useMay();
  const [changed, setChanged] = useState<Changed>();
  if (changed) return <PublishProgress changed={changed} onClose={onClose} />;
  if (!may("define")) {
    return (
      <>
        <Notice tone="warn">
          <strong>{t("publish.forbidden")}</strong> {t("publish.forbiddenRole")}
        </Notice>
        <div className="row" style={{ justifyContent: "flex-end" }}>
          <Button onPress={onClose}>{t("base:close")}</Button>
        </div>
      </>
    );
  }
  return (
    <PublishAsk
      items={items}
      onClose={onClose}
      onPublished={(done) => {
        setChanged(done);
        onPublished?.(done);
      }}
    />
  );
}
