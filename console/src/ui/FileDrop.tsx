import { Upload } from "lucide-react";
import { DropZone, FileTrigger, Text, isFileDropItem } from "react-aria-components";
import { Button } from "./Button";

interface FileDropProps {
  label: string;
  button: string;
  /** Kinds of file, as the browser's dialog takes them (`.csv`). */
  accept?: readonly string[];
  onFile: (file: File) => void;
}

/** A file, dropped or chosen. */
export function FileDrop({ label, button, accept, onFile }: FileDropProps) {
  return (
    <DropZone
      className="drop"
      onDrop={async (event) => {
        const dropped = event.items.find(isFileDropItem);
        if (dropped) onFile(await dropped.getFile());
      }}
    >
      <div className="stack">
        <Text slot="label">{label}</Text>
        <div>
          <FileTrigger
            {...(accept && { acceptedFileTypes: [...accept] })}
            onSelect={(files) => {
              const file = files?.[0];
              if (file) onFile(file);
            }}
          >
            <Button>
              <Upload size={18} aria-hidden /> {button}
            </Button>
          </FileTrigger>
        </div>
      </div>
    </DropZone>
  );
}
