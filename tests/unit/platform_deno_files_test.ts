import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DenoFiles, FileError } from "../../src/platform/mod.ts";

const files = new DenoFiles();
const encode = (text: string) => new TextEncoder().encode(text);

async function inFolder(story: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await story(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a file is written whole, read, listed, renamed and removed", () =>
  inFolder(async (folder) => {
    const path = `${folder}/a.yaml`;
    await files.writeText(path, "port: 4222\n");
    await files.writeText(path, "port: -1 # ü\n");
    assertEquals(await files.readText(path), "port: -1 # ü\n");
    assertEquals(files.listSync(folder), ["a.yaml"], "no draft is left");
    files.renameSync(path, `${folder}/b.yaml`);
    assertEquals(files.listSync(folder), ["b.yaml"]);
    assertEquals([files.removeSync(`${folder}/b.yaml`), files.removeSync(path)], [true, false]);
    await files.writeText(path, "");
    assertEquals([await files.remove(path), await files.remove(path)], [true, false]);
  }));

Deno.test("appending keeps what is there and counts the size", () =>
  inFolder(async (folder) => {
    const path = `${folder}/log`;
    const first = files.openAppend(path);
    assertEquals(first.size, 0);
    first.write(encode("one\n"));
    first.close();
    first.close();
    const second = files.openAppend(path);
    assertEquals(second.size, 4);
    second.write(encode("two\n"));
    assertEquals([second.size, await files.readText(path)], [8, "one\ntwo\n"]);
    second.close();
    assertThrows(() => second.write(encode("three")), FileError, `cannot append to ${path}`);
  }));

Deno.test("errors name the path and the reason", () =>
  inFolder(async (folder) => {
    const missing = `${folder}/missing`;
    const expect = async (action: () => unknown, message: string) => {
      const error = await assertRejects(async () => await action(), FileError);
      assertEquals(error.message, message);
      assert(error.cause instanceof Error);
    };
    await expect(
      () => files.readText(missing),
      `cannot read ${missing}: no such file or folder`,
    );
    await expect(
      () => files.openAppend(`${missing}/log`),
      `cannot open ${missing}/log: no such file or folder`,
    );
    await expect(
      () => files.writeText(`${missing}/pid`, "1"),
      `cannot write ${missing}/pid: no such file or folder`,
    );
    await expect(() => files.listSync(missing), `cannot list ${missing}: no such file or folder`);
    await expect(
      () => files.renameSync(missing, folder),
      `cannot rename to ${folder} ${missing}: no such file or folder`,
    );
    await expect(() => files.readText(folder), `cannot read ${folder}: is a folder`);
    await Deno.writeTextFile(`${folder}/file`, "");
    await expect(
      () => files.readText(`${folder}/file/x`),
      `cannot read ${folder}/file/x: a part of the path is not a folder`,
    );
  }));

Deno.test("what is not UTF-8 is refused with its place", () =>
  inFolder(async (folder) => {
    const path = `${folder}/a.yaml`;
    const cases: [number[], string][] = [
      [[0xff, 0xfe], "line 1, byte 0 of the file"],
      [[...encode("a: 1\nb: ü"), 0xe4, ...encode("\nc: 2\n")], "line 2, byte 10 of the file"],
      [[...encode("a: 1\n\n"), 0xc3], "line 3, byte 6 of the file"],
    ];
    for (const [bytes, place] of cases) {
      await Deno.writeFile(path, new Uint8Array(bytes));
      const { message } = await assertRejects(() => files.readText(path), FileError);
      assertEquals(message, `cannot read ${path}: not UTF-8 text (${place})`);
      assertEquals([...await files.readBytes(path)], bytes);
    }
    await Deno.writeFile(path, new Uint8Array([0xef, 0xbb, 0xbf, ...encode("ü")]));
    assertEquals(await files.readText(path), "ü");
  }));

Deno.test("a link and a pipe are written to, not replaced", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/target`, "longer than a pid");
    await Deno.symlink("target", `${folder}/link`);
    await Deno.symlink("elsewhere", `${folder}/dangling`);
    await Deno.symlink("/dev/null", `${folder}/device`);
    for (const name of ["link", "dangling", "device"]) {
      assertEquals(await files.writeText(`${folder}/${name}`, "17"), false);
      assert(Deno.lstatSync(`${folder}/${name}`).isSymlink, name);
    }
    assertEquals(await files.readText(`${folder}/target`), "17");
    assertEquals(await files.readText(`${folder}/elsewhere`), "17");
    // A device would not survive a test that fails.
    await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
    const reader = new Deno.Command("cat", { args: [`${folder}/pipe`], stdout: "piped" }).spawn();
    await files.writeText(`${folder}/pipe`, "17");
    const { isFifo } = Deno.lstatSync(`${folder}/pipe`);
    // Nobody will write to one that was replaced.
    if (!isFifo) reader.kill();
    const { stdout } = await reader.output();
    assertEquals([isFifo, new TextDecoder().decode(stdout)], [true, "17"]);
    assertEquals(await files.writeText(`${folder}/target`, "18"), false);
    assertEquals(await files.writeText(`${folder}/new`, "18"), true);
    assertEquals(files.listSync(folder).sort(), [
      ...["dangling", "device", "elsewhere", "link", "new", "pipe", "target"],
    ]);
  }));

Deno.test({
  name: "a file that may be written is, though its folder may not",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/pid`, "before, and longer");
      await Deno.chmod(folder, 0o555);
      const module = new URL("../../src/platform/mod.ts", import.meta.url).href;
      const program = `import { DenoFiles } from "${module}"; const files = new DenoFiles();
        console.log(await files.writeText("${folder}/pid", "17"));
        await files.writeText("${folder}/new", "17").catch((error) => console.log(error.message));`;
      // Root may write anywhere, unless that is taken from it.
      const drop = Deno.uid() === 0
        ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"]
        : ["env", "--"];
      const { stdout, stderr } = await new Deno.Command(drop[0]!, {
        args: [...drop.slice(1), Deno.execPath(), "eval", "--no-check", program],
      }).output();
      await Deno.chmod(folder, 0o755);
      const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      assertEquals(
        decode(stdout),
        `false\ncannot write ${folder}/new: permission denied\n`,
        decode(stderr),
      );
      assertEquals(files.listSync(folder), ["pid"]);
      assertEquals(await files.readText(`${folder}/pid`), "17");
    }),
});

Deno.test("a write that fails leaves the old file and no draft", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/target/full`, { recursive: true });
    await assertRejects(() => files.writeText(`${folder}/target`, "text"), FileError);
    assertEquals(files.listSync(folder), ["target"]);
    assertEquals(files.listSync(`${folder}/target`), ["full"]);
  }));
