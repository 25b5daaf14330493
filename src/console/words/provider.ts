/** Names of providers as they write themselves. */
import { visible } from './text.ts';

const names: Readonly<Record<string, string>> = {
  anthropic: 'Anthropic',
  cerebras: 'Cerebras',
  cohere: 'Cohere',
  deepseek: 'DeepSeek',
  fireworks: 'Fireworks',
  google: 'Google',
  gemini: 'Gemini',
  groq: 'Groq',
  mistral: 'Mistral',
  ollama: 'Ollama',
  openai: 'OpenAI',
  openrouter: 'OpenRouter',
  sandbox: 'the sandbox',
  together: 'Together',
  vllm: 'vLLM',
  xai: 'xAI',
};

/** `OpenAI` for the model `openai/gpt-4.1-mini`, and for the provider `openai`. */
export function providerName(modelOrProvider: string): string {
  const [provider = ''] = modelOrProvider.split('/');
  return Object.hasOwn(names, provider) ? (names[provider] as string) : visible(provider);
}
