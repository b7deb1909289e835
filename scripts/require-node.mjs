// Plain JavaScript: it must run on the very Node that cannot run the rest.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `This is Node ${process.versions.node}, and the Node 24 of this project is not in place: its install script was blocked. ` +
      'Run `npm rebuild node --ignore-scripts=false`, then the same command again.',
  );
  process.exit(1);
}
