// Hangs in JavaScript: a loop without end, which no event of the program's can interrupt.
const fs = require('fs')

function countsForEver() {
  let count = 0
  fs.writeSync(1, 'ready\n')
  for (;;) count += 1 // hangs
}

countsForEver()
