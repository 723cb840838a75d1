// The libraries in LibreChat and Cherry Studio: what each answers to a task with two calls at once.
import { HumanMessage } from "@langchain/core/messages";
import { tool as langchainTool } from "@langchain/core/tools";
import { Providers, Run } from "@librechat/agents";
import { streamText } from "@cherrystudio/ai-core";
import { stepCountIs, tool } from "ai";
import { z } from "zod";

const [library, api, url, prompt] = process.argv.slice(2);
const schema = z.object({ a: z.number(), b: z.number() });

const librechat = async () => {
  const add = langchainTool(async ({ a, b }) => String(a + b), { name: "add", description: "Adds", schema });
  const openai = { model: "gpt-4o-mini", apiKey: "any", streaming: true, configuration: { baseURL: `${url}/v1` } };
  const settings = {
    chat: { provider: Providers.OPENAI, ...openai },
    responses: { provider: Providers.OPENAI, ...openai, useResponsesApi: true },
    messages: { provider: Providers.ANTHROPIC, model: "claude-sonnet-4-5", apiKey: "any", streaming: true, clientOptions: { baseURL: url } },
  };
  const run = await Run.create({
    runId: "run",
    graphConfig: { type: "standard", llmConfig: settings[api], tools: [add], instructions: "Be brief." },
    returnContent: true,
  });
  const options = { configurable: { thread_id: "thread" }, version: "v2", streamMode: "values" };
  const content = await run.processStream({ messages: [new HumanMessage(prompt)] }, options);
  return content.map((part) => part.text ?? "").join("");
};

const cherry = async () => {
  const add = tool({ description: "Adds", inputSchema: schema, execute: async ({ a, b }) => a + b });
  const [provider, model] = {
    chat: ["openai-chat", "gpt-4o-mini"],
    responses: ["openai", "gpt-4o-mini"],
    compatible: ["openai-compatible", "gpt-4o-mini"],
    messages: ["anthropic", "claude-sonnet-4-5"],
  }[api];
  const settings = { apiKey: "any", baseURL: `${url}/v1`, name: "relay" };
  const answer = await streamText(provider, settings, { model, prompt, tools: { add }, stopWhen: stepCountIs(5), onError: () => {} });
  return answer.text;
};

console.log(await { librechat, cherry }[library]());
