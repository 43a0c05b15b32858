// Verifies webhooks with the official JavaScript library.
//
// Reads one JSON object a line (secret, headers, body in base64) and answers `ok` or `no` a line.

const { Webhook } = require("standardwebhooks");
const lines = require("node:fs").readFileSync(0, "utf8").trim().split("\n");

const answers = lines.map((line) => {
  const { secret, headers, body } = JSON.parse(line);
  try {
    new Webhook(secret).verify(Buffer.from(body, "base64"), headers);
    return "ok";
  } catch {
    return "no";
  }
});
console.log(answers.join("\n"));
