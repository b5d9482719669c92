import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";
import { Answer, Only } from "../../base/states";
import { ButtonLink } from "../../ui/Button";
import { Notice, Page } from "../../ui/Layout";
import { audience, type Definition } from "./asking";
import { formOf } from "./definition";
import { Editor } from "./Editor";
import { placeOf } from "./Marks";

export function Edit() {
  const { t } = useTranslation("audiences");
  const { owner = "", id = "" } = useParams();
  const asked = useQuery({ ...audience(`${owner}/${id}`), refetchOnWindowFocus: false });
  return (
    <Page title={t("editTitle", { name: asked.data?.name ?? `${owner}/${id}` })}>
      <Only right="define">
        <Answer query={asked}>{(definition) => <Editable key={definition.id} definition={definition} />}</Answer>
      </Only>
    </Page>
  );
}

function Editable({ definition }: { definition: Definition }) {
  const { t } = useTranslation("audiences");
  const text = definition.text ?? "";
  const start = useMemo(() => formOf(text), [text]);
  if (definition.origin !== "catalogue") {
    return (
      <Notice tone="warn">
        {definition.origin === "file" ? t("fileHelp", { place: placeOf(definition) }) : t("sharedHelp")}{" "}
        <ButtonLink small href={`/audiences/${definition.id}`}>
          {t("back")}
        </ButtonLink>
      </Notice>
    );
  }
  return <Editor start={start} owners={[start.owner]} definition={definition} />;
}
