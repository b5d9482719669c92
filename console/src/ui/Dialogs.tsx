/** What asks before it goes on, and what says that something was done. */
import { X } from "lucide-react";
import type { ReactNode } from "react";
import {
  Dialog as AriaDialog,
  Heading,
  Modal,
  ModalOverlay,
  Text,
  UNSTABLE_Toast as AriaToast,
  UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastQueue as ToastQueue,
  UNSTABLE_ToastRegion as ToastRegion,
} from "react-aria-components";
import { Button } from "./Button";

interface DialogProps {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  wide?: boolean;
  /** It must be answered: no click beside it closes it. */
  alert?: boolean;
  /** Escape does not close it either: what it shows is not shown again. */
  stays?: boolean;
  children: ReactNode;
}

export function Dialog({ title, isOpen, onClose, wide, alert, stays, children }: DialogProps) {
  return (
    <ModalOverlay
      className="overlay"
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isDismissable={!alert}
      isKeyboardDismissDisabled={stays ?? false}
    >
      <Modal className={wide ? "modal wide" : "modal"}>
        <AriaDialog className="dialog" role={alert ? "alertdialog" : "dialog"}>
          <Heading slot="title" level={2}>
            {title}
          </Heading>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

interface ConfirmProps {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  onConfirm: () => void;
  /** What the button does, in a word or two: never "OK". */
  action: string;
  cancel: string;
  danger?: boolean;
  pending?: boolean;
  children: ReactNode;
}

/** Asks whether it is meant. */
export function Confirm({ action, cancel, danger, pending, onConfirm, children, ...dialog }: ConfirmProps) {
  return (
    <Dialog {...dialog} alert>
      {children}
      <div className="row" style={{ justifyContent: "flex-end" }}>
        <Button onPress={dialog.onClose}>{cancel}</Button>
        <Button look={danger ? "danger" : "primary"} onPress={onConfirm} isPending={pending ?? false}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}

interface Told {
  text: string;
  tone: "good" | "bad";
}

const told = new ToastQueue<Told>({ maxVisibleToasts: 3 });

/** Says in a corner that something was done. */
export function tell(text: string, tone: Told["tone"] = "good"): void {
  told.add({ text, tone }, { timeout: 8_000 });
}

/** The corner; the shell has one. */
export function Toasts({ label, close }: { label: string; close: string }) {
  return (
    <ToastRegion queue={told} className="toasts" aria-label={label}>
      {({ toast }) => (
        <AriaToast toast={toast} className={`toast ${toast.content.tone}`}>
          <ToastContent>
            <Text slot="title">{toast.content.text}</Text>
          </ToastContent>
          <Button slot="close" small icon look="quiet" aria-label={close}>
            <X size={16} aria-hidden />
          </Button>
        </AriaToast>
      )}
    </ToastRegion>
  );
}
