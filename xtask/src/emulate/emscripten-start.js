// A program has the variables that node was started with. For `emcc --pre-js`.
Module['preRun'] = function() { Object.assign(ENV, process.env); };
