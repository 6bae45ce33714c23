--- Where optimisers tell of their steps while a step of training is captured, or rehearsed.
--
-- `current` is nil, or what Optimizer:step hands its work to: `current:step(optimizer, list, group)`.
-- @module gru.graph.recording
return {current = nil}
