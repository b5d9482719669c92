/** One person, by an identifier: what is held, an objection, a deletion. Nobody has to look in order to object or delete. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Eid } from "../../base/eid";
import { useFormat } from "../../base/format";
import { Identifier, nothingTyped, readTyped, type Typed } from "../../base/Identifier";
import { Failed, Loading } from "../../base/states";
import { Button } from "../../ui/Button";
import { Confirm } from "../../ui/Dialogs";
import { Card, Notice } from "../../ui/Layout";
import { DeletionMeans, ObjectionMeans, ScopeChoice } from "./Deeds";
import { TypedConfirm } from "./TypedConfirm";
import { Proof } from "./Proof";
import { erase, held, object, type Scope } from "./deeds";
import { HeldView } from "./HeldView";

export function OnePerson() {
  const { t } = useTranslation("privacy");
  const [typed, setTyped] = useState<Typed>(nothingTyped);
  const [sent, setSent] = useState(false);
  // What was answered is of the identifier that was asked about: another one begins anew.
  const [round, setRound] = useState(0);
  const eid = () => {
    setSent(true);
    return readTyped(typed).eid;
  };
  return (
    <div className="stack">
      <Card title={t("whom")}>
        <div className="halves">
          <div className="stack">
            <Identifier
              value={typed}
              sent={sent}
              onChange={(value) => {
                setTyped(value);
                setRound(round + 1);
              }}
            />
          </div>
          <Notice>{t("whomHelp")}</Notice>
        </div>
      </Card>
      <Look key={`look ${round}`} eid={eid} />
      <div className="halves">
        <Objection key={`objection ${round}`} eid={eid} />
        <Deletion key={`deletion ${round}`} eid={eid} />
      </div>
    </div>
  );
}

interface OfOne {
  /** The identifier that was typed; where it is none, that is told beside it. */
  eid: () => Eid | undefined;
}

function Look({ eid }: OfOne) {
  const { t } = useTranslation("privacy");
  const looking = useMutation({ mutationFn: held, gcTime: 0 });
  const look = () => {
    const whom = eid();
    if (whom) looking.mutate(whom);
  };
  return (
    <Card title={t("held")}>
      <p>{t("heldHelp")}</p>
      <div>
        <Button onPress={look} isPending={looking.isPending}>
          {t("look")}
        </Button>
      </div>
      {looking.isPending && <Loading />}
      {looking.error && <Failed error={looking.error} />}
      {looking.data && <HeldView held={looking.data} />}
    </Card>
  );
}

function Objection({ eid }: OfOne) {
  const { t } = useTranslation(["privacy", "base"]);
  const [scope, setScope] = useState<Scope>("all");
  const [whom, setWhom] = useState<Eid>();
  const objecting = useMutation({
    mutationFn: (eid: Eid) => object([eid], scope),
    gcTime: 0,
    onSettled: () => setWhom(undefined),
  });
  const refused = objecting.data?.[0];
  return (
    <Card title={t("objection")}>
      <ScopeChoice value={scope} onChange={setScope} />
      <ObjectionMeans />
      <div>
        <Button onPress={() => setWhom(eid())} isPending={objecting.isPending}>
          {t("object")}
        </Button>
      </div>
      {objecting.error && <Failed error={objecting.error} />}
      {objecting.data && refused !== undefined && (
        <Notice tone="bad" live>
          {t("objectionRefused")} {refused}
        </Notice>
      )}
      {objecting.data && refused === undefined && (
        <Notice tone="good" live>
          {t("objectionDone")}
        </Notice>
      )}
      <Confirm
        title={t("objectionAsk")}
        isOpen={whom !== undefined}
        onClose={() => setWhom(undefined)}
        onConfirm={() => whom && objecting.mutate(whom)}
        action={t("object")}
        cancel={t("base:cancel")}
        pending={objecting.isPending}
      >
        <p>{t(`scopes.${scope}.means`)}</p>
        <p>{t("objectionForGood")}</p>
      </Confirm>
    </Card>
  );
}

function Deletion({ eid }: OfOne) {
  const { t } = useTranslation("privacy");
  const format = useFormat();
  const [whom, setWhom] = useState<Eid>();
  const deleting = useMutation({
    mutationFn: (eid: Eid) => erase([eid]),
    gcTime: 0,
    onSettled: () => setWhom(undefined),
  });
  return (
    <Card title={t("deletion")}>
      <DeletionMeans />
      <div>
        <Button look="danger" onPress={() => setWhom(eid())} isPending={deleting.isPending}>
          {t("delete")}
        </Button>
      </div>
      {deleting.error && <Failed error={deleting.error} />}
      {deleting.data && (
        <>
          <Notice tone="good" live>
            {t("deleted", { count: deleting.data.profiles })} {t("blockedIds", { count: deleting.data.identifiers })}{" "}
            {t("purgedBy", { at: format.time(deleting.data.purged_by) })}
          </Notice>
          <Proof entry={deleting.data.entry} />
        </>
      )}
      <TypedConfirm
        title={t("deletionAsk", { count: 1 })}
        isOpen={whom !== undefined}
        onClose={() => setWhom(undefined)}
        onConfirm={() => whom && deleting.mutate(whom)}
        pending={deleting.isPending}
      />
    </Card>
  );
}
