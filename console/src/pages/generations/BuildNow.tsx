import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ask, problemOf } from "../../api/client";
import { builds, queries } from "../../api/queries";
import { Failed } from "../../base/states";
import { Button } from "../../ui/Button";
import { Confirm, tell } from "../../ui/Dialogs";
import { RadioGroup } from "../../ui/Fields";

type What = "full" | "activate";

/** Asked without the typed client: the description has two things called `What`, and tells the statistics' one here. */
async function request(what: What): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await ask("/api/v1/builds", { method: "POST", headers, body: JSON.stringify({ what }) });
  if (!response.ok) throw await problemOf(response);
}

/** Builds without waiting for the time that is due. */
export function BuildNow() {
  const { t } = useTranslation(["generations", "base"]);
  const [asking, setAsking] = useState(false);
  const [what, setWhat] = useState<What>("activate");
  const build = useMutation({
    mutationFn: request,
    onSuccess: () => {
      setAsking(false);
      tell(t("build.queued"));
      return queries.invalidateQueries({ queryKey: builds.queryKey });
    },
  });
  return (
    <>
      <Button onPress={() => setAsking(true)}>{t("build.button")}</Button>
      <Confirm
        title={t("build.title")}
        isOpen={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => build.mutate(what)}
        pending={build.isPending}
        action={t("build.action")}
        cancel={t("base:cancel")}
      >
        <RadioGroup
          label={t("build.what")}
          value={what}
          onChange={(id) => setWhat(id === "full" ? "full" : "activate")}
          choices={[
            { id: "activate", name: t("build.activate"), note: t("build.activateHelp") },
            { id: "full", name: t("build.full"), note: t("build.fullHelp") },
          ]}
        />
        <p className="quiet">{t("build.text")}</p>
        {build.error && <Failed error={build.error} />}
      </Confirm>
    </>
  );
}
