// Commands as JSON lines on standard input, one answer as a JSON line on standard output for each; as conversation.py.
"use strict";

const readline = require("node:readline");

// The journal's waits are shorter, so that they can say what is missing.
const LONGEST_MS = 10_000;

/**
 * Do what is asked, one command after the other, until standard input ends.
 *
 * @param driver an object whose methods are the commands; those that begin with "_" are its own.
 */
async function converse(driver) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { number, command, arguments: terms } = JSON.parse(line);
    process.stdout.write(JSON.stringify({ number, ...(await answer(driver, command, terms)) }) + "\n");
  }
  driver.disconnect();
  process.exit(0);
}

async function answer(driver, command, terms) {
  if (command.startsWith("_") || typeof driver[command] !== "function") {
    return { error: "ValueError", text: `there is no command '${command}'` };
  }
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(named("TimeoutError", `${command}: no answer within ${LONGEST_MS} ms`)), LONGEST_MS);
  });
  try {
    return { result: (await Promise.race([driver[command](terms), late])) ?? null };
  } catch (error) {
    console.error(`${command} failed`, error);
    return { error: error.name, text: error.message };
  } finally {
    clearTimeout(timer);
  }
}

function named(name, text) {
  return Object.assign(new Error(text), { name });
}

module.exports = { converse, named };
