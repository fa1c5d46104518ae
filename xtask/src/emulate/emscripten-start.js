// Gives a program the environment variables that node was started with. For `emcc --pre-js`.
Module['preRun'] = function() { Object.assign(ENV, process.env); };
