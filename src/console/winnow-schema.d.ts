/** Input types of schema.graphql, which the bundler reads: forms say what the schema says. */
declare module 'winnow:schema' {
  export interface InputField {
    name: string;
    /**
     * Type of GraphQL, without the sign of what is required: `String`, `[String!]`, `JSONObject`.
     */
    type: string;
    required: boolean;
    description: string;
  }

  /** By the name of the input type. */
  export const inputs: Readonly<Record<string, readonly InputField[]>>;
}
