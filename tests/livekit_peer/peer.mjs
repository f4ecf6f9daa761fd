// LiveKit's own server SDK for Node, driven over JSON lines: it verifies our tokens and signs webhooks as a server does.
import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import { AccessToken, TokenVerifier } from 'livekit-server-sdk'

const operations = {
  verify: async ({ key, secret, token }) => ({ claims: await new TokenVerifier(key, secret).verify(token) }),
  sign: async ({ key, secret, body }) => {
    const token = new AccessToken(key, secret, { ttl: '5m' })
    token.sha256 = createHash('sha256').update(body).digest('base64')
    return { token: await token.toJwt() }
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line)
  let answer
  try {
    answer = await operations[question.op](question)
  } catch (error) {
    answer = { error: String(error.message ?? error) }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
