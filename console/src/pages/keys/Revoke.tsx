import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, body, type Schemas } from "../../api/client";
import { queries } from "../../api/queries";
import { useWho } from "../../base/session";
import { Failed } from "../../base/states";
import { Confirm, tell } from "../../ui/Dialogs";
import { Notice } from "../../ui/Layout";

/** Asks whether a key is to be taken away, and does it. */
export function Revoke({ keyOf, onClose }: { keyOf: Schemas["Key"] | undefined; onClose: () => void }) {
  const { t } = useTranslation("keys");
  const { t: base } = useTranslation();
  const who = useWho();
  const leaving = useMutation({
    mutationFn: (id: string) => body(api.DELETE("/api/v1/keys/{id}", { params: { path: { id } } })),
    onSuccess: async ({ id }) => {
      tell(t("revoked", { id }));
      onClose();
      await queries.invalidateQueries({ queryKey: id === who?.name ? ["whoami"] : ["keys"] });
    },
  });
  const close = () => {
    leaving.reset();
    onClose();
  };
  return (
    <Confirm
      title={t("revokeOf", { id: keyOf?.id ?? "" })}
      isOpen={keyOf !== undefined}
      onClose={close}
      onConfirm={() => keyOf && leaving.mutate(keyOf.id)}
      action={t("revoke")}
      cancel={base("cancel")}
      danger
      pending={leaving.isPending}
    >
      <p>{t("revokeWhat")}</p>
      {keyOf?.comment && <p className="quiet">{keyOf.comment}</p>}
      {keyOf !== undefined && keyOf.id === who?.name && <Notice tone="warn">{t("revokeOwn")}</Notice>}
      {leaving.error && <Failed error={leaving.error} />}
    </Confirm>
  );
}
