import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, type Schemas } from "../../api/client";
import { builds, queries } from "../../api/queries";
import { Failed } from "../../base/states";
import { Button } from "../../ui/Button";
import { Confirm, tell } from "../../ui/Dialogs";
import { RadioGroup } from "../../ui/Fields";

/** Builds without waiting for the time that is due. */
export function BuildNow() {
  const { t } = useTranslation(["generations", "base"]);
  const [asking, setAsking] = useState(false);
  const [what, setWhat] = useState<Schemas["BuildWhat"]>("activate");
  const build = useMutation({
    mutationFn: () => api.POST("/api/v1/builds", { body: { what } }),
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
        onConfirm={() => build.mutate()}
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
