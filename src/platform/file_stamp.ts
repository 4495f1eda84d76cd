/**
 * Whether a file has changed.
 *
 * @module
 */

/** What is known of a file without reading it. */
export interface FileStamp {
  /** Another text when it is another file, or was written meanwhile. */
  readonly stamp: string;
  /** Its size in bytes. */
  readonly size: number;
}

/** Files by their paths: the stamp of each from before it was read, null where it could not be looked at. */
export type ReadFiles = ReadonlyMap<string, string | null>;

/** What is read with `read`, and into `files` how each file was before. */
export function stamping<Content>(
  files: Map<string, string | null>,
  read: (path: string) => Promise<Content>,
  stampOf: (path: string) => Promise<FileStamp | null> = fileStamp,
): (path: string) => Promise<Content> {
  return async (path) => {
    const before = await stampOf(path), content = await read(path);
    files.set(path, before?.stamp ?? null);
    return content;
  };
}

/** What is known of a file, or of what a link points to; null when it cannot be looked at. */
export async function fileStamp(path: string): Promise<FileStamp | null> {
  try {
    const { dev, ino, size, mtime } = await Deno.stat(path);
    return { stamp: `${dev}:${ino}:${size}:${mtime?.getTime()}`, size };
  } catch {
    return null;
  }
}
