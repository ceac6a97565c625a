// Hangs in JavaScript with nothing to do: the answer of a server never comes.
const net = require('net')

const server = net.createServer(() => {}).listen(0, '127.0.0.1', () => {
  const client = net.connect(server.address().port, '127.0.0.1', function waitsForTheAnswer() {
    client.write('how much?')
    process.stdout.write('ready\n')
  })
})
