console.log('nothing to test')
