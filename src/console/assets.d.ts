/** The bundler's exports for files that are no scripts. */
declare module '*.css' {}
declare module '*.csv' {
  /** Its address, from that of the script. */
  const address: string;
  // biome-ignore lint/style/noDefaultExport: so the bundler has it.
  export default address;
}
