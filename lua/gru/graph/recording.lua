--- Where optimisers tell of their steps while a step of training is captured, or rehearsed.
--
-- `current` is nil, or what Optimizer:step hands its work to: `current:step(optimizer, list, group)`;
-- `enabled` is what gru.cuda.set_graphs sets.
-- @module gru.graph.recording
return {enabled = true, current = nil}
