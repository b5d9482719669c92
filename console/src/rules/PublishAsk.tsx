/** The first half of publishing: what would happen, why it must be confirmed, and a comment. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/client";
import { queries } from "../api/queries";
import { Failed, Loading } from "../base/states";
import { Button } from "../ui/Button";
import { Checkbox, TextArea } from "../ui/Fields";
import { More, Notice } from "../ui/Layout";
import { PublishReasons } from "./PublishReasons";
import { dryRun, publishNow, type Changed, type PublishItem } from "./publishing";

interface PublishAskProps {
  items: readonly PublishItem[];
  onClose: () => void;
  onPublished: (changed: Changed) => void;
}

export function PublishAsk({ items, onClose, onPublished }: PublishAskProps) {
  const { t } = useTranslation(["rules", "base"]);
  const [comment, setComment] = useState("");
  /** The token of what was read and is meant: another one must be read again. */
  const [meant, setMeant] = useState<string>();
  const [moved, setMoved] = useState(false);
  const looked = useQuery(dryRun(items));
  const confirm = looked.data?.confirm ?? undefined;
  const publishing = useMutation({
    mutationFn: () => publishNow({ items, comment, confirm }),
    onSuccess: (changed) => {
      onPublished(changed);
      void queries.invalidateQueries();
    },
    onError: (error) => {
      const stale = error instanceof Problem && error.code === "needs_confirmation";
      setMoved(stale);
      if (stale) void looked.refetch();
    },
  });
  const archives = items.every((item) => item.archive);
  const nothing = looked.data?.items.length === 0;
  const ready = looked.data !== undefined && !looked.isFetching && !nothing && meant === confirm;
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) publishing.mutate();
      }}
    >
      {looked.error ? (
        <Refused error={looked.error} retry={() => void looked.refetch()} />
      ) : looked.data === undefined ? (
        <Loading lines={3} />
      ) : (
        <Effects changed={looked.data} archives={archives} />
      )}
      {looked.data?.needs_confirmation !== undefined && confirm !== undefined && (
        <Notice tone="warn" live>
          <div className="stack" style={{ gap: 8 }}>
            <strong>{moved ? t("publish.moved") : t("publish.confirm")}</strong>
            <PublishReasons reasons={looked.data.needs_confirmation} />
            <Checkbox isSelected={meant === confirm} onChange={(selected) => setMeant(selected ? confirm : undefined)}>
              {t("publish.meant")}
            </Checkbox>
          </div>
        </Notice>
      )}
      {!looked.error && !nothing && (
        <TextArea
          label={t("publish.comment")}
          hint={t("publish.commentHint")}
          value={comment}
          onChange={setComment}
          rows={2}
        />
      )}
      {publishing.error && !moved && <Refused error={publishing.error} />}
      <div className="row" style={{ justifyContent: "flex-end" }}>
        <Button onPress={onClose}>{nothing ? t("base:close") : t("base:cancel")}</Button>
        {!nothing && (
          <Button
            type="submit"
            look={archives ? "danger" : "primary"}
            isPending={publishing.isPending}
            isDisabled={!ready}
          >
            {archives ? t("publish.archive") : t("publish.publish")}
          </Button>
        )}
      </div>
    </form>
  );
}

/** Who else can, where it is the key that does not reach. */
function Refused({ error, retry }: { error: Error; retry?: () => void }) {
  const { t } = useTranslation("rules");
  if (error instanceof Problem && error.status === 403) {
    return (
      <Notice tone="warn" live>
        <strong>{t("publish.forbidden")}</strong> {t("publish.forbiddenHelp")}
      </Notice>
    );
  }
  return <Failed error={error} {...(retry && { retry })} />;
}

function Effects({ changed, archives }: { changed: Changed; archives: boolean }) {
  const { t } = useTranslation("rules");
  if (changed.items.length === 0) return <p>{t("publish.nothing")}</p>;
  const own = new Set(changed.items.map((item) => item.id));
  const audiences = changed.affected.audiences.filter((id) => !own.has(id));
  const campaigns = changed.affected.campaigns.filter((id) => !own.has(id));
  return (
    <>
      <p>{archives ? t("publish.willArchive") : t("publish.will")}</p>
      {changed.items.length > 1 && <Names title={t("publish.items")} ids={changed.items.map((item) => item.id)} />}
      {audiences.length > 0 && <Names title={t("publish.audiences", { count: audiences.length })} ids={audiences} />}
      {campaigns.length > 0 && <Names title={t("publish.campaigns", { count: campaigns.length })} ids={campaigns} />}
      {changed.warnings.length > 0 && (
        <Notice tone="warn">
          <strong>{t("publish.warnings", { count: changed.warnings.length })}</strong>
          <ul>
            {changed.warnings.map((warning, at) => (
              <li key={at}>
                {warning.detail}
                {warning.help && <span className="quiet"> ({warning.help})</span>}
              </li>
            ))}
          </ul>
        </Notice>
      )}
    </>
  );
}

function Names({ title, ids }: { title: string; ids: readonly string[] }) {
  return (
    <More title={title} open={ids.length <= 5}>
      <ul>
        {ids.map((id) => (
          <li key={id} className="mono">
            {id}
          </li>
        ))}
      </ul>
    </More>
  );
}
