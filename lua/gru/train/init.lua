--- Training loops.
-- @module gru.train
return {Trainer = require "gru.train.trainer"}
