/** People that were picked: whom exactly is meant, how many they are, and the way to an audience of them. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { useFormat } from "../../base/format";
import { Long } from "../../base/Long";
import { useMay } from "../../base/session";
import { Told } from "../../base/Told";
import { Button, ButtonLink } from "../../ui/Button";
import { Dialog } from "../../ui/Dialogs";
import { RadioGroup } from "../../ui/Fields";
import { Stat } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import { newAudience, ruleOf, waysOf } from "./regions";

interface PickedPeopleProps {
  ids: readonly string[];
  names: readonly string[];
  picked: readonly string[];
  onClose: () => void;
}

export function PickedPeople({ ids, names, picked, onClose }: PickedPeopleProps) {
  const { t } = useTranslation(["overlap", "base"]);
  const may = useMay();
  const ways = waysOf(picked, ids);
  const [chosen, choose] = useState<string | undefined>(picked.length === 2 && ids.length > 2 ? "all" : ways[0]?.id);
  const way = ways.find((one) => one.id === chosen) ?? ways[0];
  if (!way) return null;
  const nameOf = (id: string) => names[ids.indexOf(id)] ?? id;
  const [first, second] = picked.map(nameOf);
  const rule = ruleOf(way.region);
  return (
    <Dialog title={picked.map(nameOf).join(" + ")} isOpen onClose={onClose}>
      <RadioGroup
        label={t("whom")}
        choices={ways.map(({ id }) => ({
          id,
          name:
            picked.length === 1 && id === "all" ? t("ways.everybodyIn", { first }) : t(`ways.${id}`, { first, second }),
        }))}
        value={way.id}
        onChange={choose}
      />
      <div style={{ minHeight: "8rem" }}>
        <Long<Schemas["ReachAnswer"]> path="/api/v1/reach" question={{ rule }}>
          {(reach) => <Reach reach={reach} />}
        </Long>
      </div>
      <div>
        <span className="label">{t("asRule")}</span>
        <pre className="mono">{rule}</pre>
      </div>
      <div className="row" style={{ justifyContent: "flex-end" }}>
        <Button onPress={onClose}>{t("base:close")}</Button>
        {may("define") && (
          <ButtonLink look="primary" href={newAudience(way.region)}>
            {t("make")}
          </ButtonLink>
        )}
      </div>
    </Dialog>
  );
}

function Reach({ reach }: { reach: Schemas["ReachAnswer"] }) {
  const { t } = useTranslation("overlap");
  const format = useFormat();
  return (
    <div className="stack" role="status">
      <Stat
        label={t("people")}
        value={<Told told={reach} />}
        note={typeof reach.share === "number" ? t("ofAll", { share: format.share(reach.share) }) : undefined}
      />
      {reach.by_id_type.length > 0 && (
        <Table
          label={t("reachable")}
          rows={reach.by_id_type}
          idOf={(type) => type.id_type}
          columns={[
            { id: "type", name: t("reachable"), cell: (type) => type.id_type },
            { id: "people", name: t("people"), number: true, cell: (type) => <Told told={type} /> },
          ]}
        />
      )}
    </div>
  );
}
