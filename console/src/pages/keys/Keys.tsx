import { queryOptions, useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, body, type Schemas } from "../../api/client";
import { useFormat } from "../../base/format";
import { Answer, Empty, Only } from "../../base/states";
import { Button } from "../../ui/Button";
import { Checkbox } from "../../ui/Fields";
import { Badge, Card, More, Page, type Tone } from "../../ui/Layout";
import { Table, type Column } from "../../ui/Table";
import { Make } from "./Make";
import { Revoke } from "./Revoke";
import { ROLES } from "./roles";

type Key = Schemas["Key"];

export const keys = queryOptions({
  queryKey: ["keys"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/keys", { signal })),
});

const TONES: Record<Key["state"], Tone> = { valid: "good", expired: "warn", revoked: "plain" };

export default function Keys() {
  const { t } = useTranslation("keys");
  const [isMaking, setMaking] = useState(false);
  return (
    <Page
      title={t("title")}
      lede={t("lede")}
      actions={
        <Button look="primary" onPress={() => setMaking(true)}>
          <Plus size={18} aria-hidden /> {t("make")}
        </Button>
      }
    >
      <Only right="operate">
        <List />
        <Card title={t("roles")}>
          <More title={t("rolesWhat")}>
            <dl className="stack">
              {ROLES.map((role) => (
                <div key={role}>
                  <dt>
                    <strong>{t(`role.${role}`)}</strong>
                  </dt>
                  <dd>{t(`may.${role}`)}</dd>
                </div>
              ))}
            </dl>
          </More>
        </Card>
        <Make isOpen={isMaking} onClose={() => setMaking(false)} />
      </Only>
    </Page>
  );
}

function List() {
  const { t } = useTranslation("keys");
  const query = useQuery(keys);
  const [all, setAll] = useState(false);
  const [leaving, setLeaving] = useState<Key>();
  const columns = useColumns(setLeaving);
  return (
    <Card title={t("list")}>
      <Answer query={query}>
        {({ keys: made }) => {
          const rows = made.filter((key) => all || key.state === "valid").toReversed();
          const hidden = made.some((key) => key.state !== "valid");
          if (made.length === 0) return <Empty title={t("none")}>{t("noneHelp")}</Empty>;
          return (
            <div className="stack">
              {hidden && (
                <Checkbox isSelected={all} onChange={setAll}>
                  {t("alsoPast")}
                </Checkbox>
              )}
              <Table label={t("table")} columns={columns} rows={rows} idOf={(key) => key.id} />
            </div>
          );
        }}
      </Answer>
      <Revoke keyOf={leaving} onClose={() => setLeaving(undefined)} />
    </Card>
  );
}

function useColumns(leave: (key: Key) => void): Column<Key>[] {
  const { t } = useTranslation("keys");
  const format = useFormat();
  return useMemo(
    () => [
      { id: "id", name: t("column.id"), cell: (key) => <span className="mono">{key.id}</span> },
      { id: "role", name: t("column.role"), cell: (key) => t(`role.${key.role}`) },
      { id: "owner", name: t("column.owner"), cell: (key) => (key.owner === "*" ? t("everybody") : key.owner) },
      {
        id: "state",
        name: t("column.state"),
        cell: (key) => <Badge tone={TONES[key.state]}>{t(`state.${key.state}`)}</Badge>,
      },
      {
        id: "expires",
        name: t("column.expires"),
        cell: (key) => (key.expires ? format.time(key.expires) : t("never")),
      },
      { id: "created", name: t("column.created"), cell: (key) => format.day(key.created) },
      {
        id: "comment",
        name: t("column.comment"),
        cell: (key) => (
          <>
            {key.comment}
            {key.caller && <div className="quiet">{t("ofCaller", { caller: key.caller })}</div>}
            {key.mtls && <div className="quiet">{t("ofCertificate", { name: key.mtls })}</div>}
          </>
        ),
      },
      {
        id: "revoke",
        name: t("revoke"),
        hideName: true,
        cell: (key) =>
          key.state === "revoked" ? null : (
            <Button small aria-label={t("revokeOf", { id: key.id })} onPress={() => leave(key)}>
              {t("revoke")}
            </Button>
          ),
      },
    ],
    [t, format, leave],
  );
}
