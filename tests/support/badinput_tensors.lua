--- Calls that must be refused, one a line: `call --> part of the message`.
--
-- Making tensors, their attributes and indexing. What the names stand for is said in `badinput_spec.lua`.
return [==[
gru.tensor()  --> tensor: an element is a nil
gru.tensor(nil)  --> tensor: an element is a nil
gru.tensor("x")  --> tensor: an element is a string
gru.tensor({1, "a"})  --> tensor: an element is a string
gru.tensor({{1, 2}, {3}})  --> tensor: rows of different size: dim 2 has 2 elements in one place, another
gru.tensor({1, {2}})  --> tensor: tables of different depth
gru.tensor(print)  --> tensor: an element is a function
gru.tensor({1}, {dtype = "int8"})  --> tensor: unknown dtype 'int8'
gru.tensor({1}, {dtype = 1})  --> tensor: unknown dtype '1'
gru.tensor({1}, {device = "gpu"})  --> tensor: device 'gpu:0'
gru.tensor({1}, {device = 1})  --> tensor: device must be a name such as "cpu", got number
gru.tensor({1}, {foo = 1})  --> tensor: unknown option 'foo'
gru.tensor({1}, "float32")  --> tensor: options must be a table, got string
gru.tensor({1}, {requires_grad = true})  --> requires_grad: only float tensors have gradients, this is int64
gru.tensor({1.0}, {requires_grad = "yes"})  --> tensor: requires_grad must be true or false, got string
gru.tensor(x, {dtype = "a"})  --> tensor: unknown dtype 'a'
gru.tensor({1, nil, 3})  --> tensor: an element is a nil
gru.tensor({{{{{{{{{1}}}}}}}}})  --> tensor: tables nested more than 8 deep
gru.zeros("x")  --> zeros: sizes must be integers, argument 1 is a string
gru.zeros(1.5)  --> zeros: sizes must be integers, argument 1 is a float
gru.zeros(-1)  --> zeros: sizes must not be negative, size 1 is -1
gru.zeros({2, -1})  --> zeros: sizes must not be negative, size 2 is -1
gru.zeros({2, "a"})  --> zeros: sizes must be integers, size 2 is a string
gru.zeros({2, 1.5})  --> zeros: sizes must be integers, size 2 is a float
gru.zeros(2, {dtype = "x"})  --> zeros: unknown dtype 'x'
gru.zeros(2, {device = "x"})  --> zeros: device 'x:0'
gru.zeros(2, {x = 1})  --> zeros: unknown option 'x'
gru.zeros({2}, {}, 1)  --> zeros: a table of sizes, then options
gru.zeros({2}, 1)  --> zeros: options must be a table, got number
gru.zeros(1, 1, 1, 1, 1, 1, 1, 1, 1)  --> zeros: at most 8 dims, got 9 sizes
gru.zeros(1<<40, 1<<40)  --> empty: sizes must not be negative, nor the product of those above 0 reach 2^60:
gru.zeros(2, nil, 3)  --> zeros: sizes must be integers, argument 2 is a nil
gru.zeros(nil)  --> zeros: sizes must be integers, argument 1 is a nil
gru.zeros(x)  --> zeros: sizes must be integers, argument 1 is a userdata
gru.zeros(true)  --> zeros: sizes must be integers, argument 1 is a boolean
gru.ones("x")  --> ones: sizes must be integers, argument 1 is a string
gru.ones(-1)  --> ones: sizes must not be negative, size 1 is -1
gru.rand(-1)  --> rand: sizes must not be negative, size 1 is -1
gru.rand(2, {dtype = "int64"})  --> uniform_: wants a float tensor, got int64
gru.randn("x")  --> randn: sizes must be integers, argument 1 is a string
gru.randn(-2)  --> randn: sizes must not be negative, size 1 is -2
gru.randn(2, {dtype = "int64"})  --> normal_: wants a float tensor, got int64
gru.empty("x")  --> empty: sizes must be integers, argument 1 is a string
gru.empty(-3)  --> empty: sizes must not be negative, size 1 is -3
gru.full()  --> full: a table of sizes expected, got nil
gru.full(2, 1)  --> full: a table of sizes expected, got number
gru.full({2})  --> full: a number or boolean expected, got nil
gru.full({2}, "x")  --> full: a number or boolean expected, got string
gru.full({2}, {})  --> full: a number or boolean expected, got table
gru.full({-2}, 1)  --> full: sizes must not be negative, size 1 is -2
gru.full({2}, 1, 2)  --> full: options must be a table, got number
gru.full({2}, 1, {dtype = "q"})  --> full: unknown dtype 'q'
gru.randint()  --> randint: a table of sizes expected, got nil
gru.randint(5)  --> randint: a table of sizes expected, got nil
gru.randint(5, 1, {2})  --> random_: no integers from 5 up to, not including, 1
gru.randint(5, 5, {2})  --> random_: no integers from 5 up to, not including, 5
gru.randint("a", {2})  --> randint: integers expected as bounds, got a
gru.randint(1.5, {2})  --> randint: integers expected as bounds, got 1.5
gru.randint(1, 3)  --> randint: a table of sizes expected, got nil
gru.randint(3, {-1})  --> randint: sizes must not be negative, size 1 is -1
gru.randperm()  --> randperm: a number of positions expected, got nil
gru.randperm(-1)  --> randperm: a number of positions expected, got -1
gru.randperm("a")  --> randperm: a number of positions expected, got a
gru.randperm(1.5)  --> randperm: a number of positions expected, got 1.5
gru.randperm(3, 1)  --> randperm: options must be a table, got number
gru.randperm(3, {device = "x"})  --> randperm: device 'x:0'
gru.randperm(3, {dtype = "float32"})  --> randperm: unknown option 'dtype'
gru.arange()  --> arange: one to three numbers expected, got 0
gru.arange("a")  --> arange: numbers expected, got string
gru.arange(1, "a")  --> arange: numbers expected, got string
gru.arange(1, 2, 0)  --> arange: the step must not be 0
gru.arange(1, 2, 0/0)  --> arange: finite numbers expected, got
gru.arange(1, 2, 3, 4)  --> arange: one to three numbers expected, got 4
gru.arange(0, math.huge)  --> arange: finite numbers expected, got inf
gru.arange(0, 0/0)  --> arange: finite numbers expected, got
gru.arange(nil, 3)  --> arange: numbers expected, got nil
gru.arange(1, nil)  --> arange: numbers expected, got nil
gru.arange(3, {dtype = "x"})  --> arange: unknown dtype 'x'
gru.linspace()  --> linspace: a number of steps expected, got nil
gru.linspace(0, 1)  --> linspace: a number of steps expected, got nil
gru.linspace(0, 1, -1)  --> linspace: a number of steps expected, got -1
gru.linspace(0, 1, 1.5)  --> linspace: a number of steps expected, got 1.5
gru.linspace("a", 1, 3)  --> linspace: start must be a number, got string
gru.linspace(0, "a", 3)  --> linspace: stop must be a number, got string
gru.linspace(0, nil, 3)  --> linspace: stop must be a number, got nil
gru.linspace(0, 1, 3, 4)  --> linspace: options must be a table, got number
gru.eye()  --> eye: sizes expected, got nil
gru.eye("a")  --> eye: sizes expected, got a
gru.eye(-1)  --> eye: sizes expected, got -1
gru.eye(1.5)  --> eye: sizes expected, got 1.5
gru.eye(2, "a")  --> eye: sizes expected, got a
gru.eye(2, -2)  --> eye: sizes expected, got -2
gru.eye(2, 2, 2)  --> eye: options must be a table, got number
gru.zeros_like()  --> zeros_like: a tensor expected, got nil
gru.zeros_like(1)  --> zeros_like: a tensor expected, got number
gru.zeros_like(x, 1)  --> zeros_like: options must be a table, got number
gru.zeros_like(x, {foo = 1})  --> zeros_like: unknown option 'foo'
gru.ones_like("a")  --> ones_like: a tensor expected, got string
gru.rand_like(i)  --> uniform_: wants a float tensor, got int64
gru.randn_like(i)  --> normal_: wants a float tensor, got int64
gru.empty_like({})  --> empty_like: a tensor expected, got table
gru.full_like(x)  --> full_like: a number or boolean expected, got nil
gru.full_like(x, "a")  --> full_like: a number or boolean expected, got string
gru.full_like(1, 1)  --> full_like: a tensor expected, got number
x[0]  --> index: position 0 is outside dim 1 of size 2
x[4]  --> index: position 4 is outside dim 1 of size 2
x[-3]  --> index: position -3 is outside dim 1 of size 2
x[1.5]  --> index: a position, a table or a tensor expected, got number 1.5
x[true]  --> index: a position, a table or a tensor expected, got boolean true
x[{1, 2, 3}]  --> select: a 0-d tensor has no dims to index
x[{4}]  --> select: position 4 is outside dim 1 of [2, 3]
x[{0}]  --> bad argument #2 to 'select' (position counts from 1, or from -1 backwards,
x[{1.5}]  --> index: a position, a range or a tensor of ids expected, got number
x[{"a"}]  --> index: a position, a range or a tensor of ids expected, got string
x[{{1}}]  --> index: a range is {first, last} or {first, last, step}, in integers
x[{{1, 2, 3, 4}}]  --> index: a range is {first, last} or {first, last, step}, in integers
x[{{0, 1}}]  --> index: range {0, 1, 1} is not in dim 1 of size 2
x[{{1, 9}}]  --> index: range {1, 9, 1} is not in dim 1 of size 2
x[{{1, 2, 0}}]  --> index: range {1, 2, 0} is not in dim 1 of size 2
x[{{1, 2, -1}}]  --> index: range {1, 2, -1} is not in dim 1 of size 2
x[{{1, 2, "a"}}]  --> index: a range is {first, last} or {first, last, step}, in integers
x[{x}]  --> index: a tensor in a key must be int64 ids or a bool mask, got float32
x[{i, i, i}]  --> index: 3 dims named, the tensor has 2
x[x]  --> index: a tensor in a key must be int64 ids or a bool mask, got float32
x[gru.tensor({5})]  --> index_select: id 5 at position 1 is outside 1 .. 2
x[gru.tensor({0})]  --> index_select: id 0 at position 1 is outside 1 .. 2
x[v:gt(0)]  --> index: a mask of size 4 in dim 1, the tensor has 2
x[{foo = 1}]  --> index: a key of positions expected, got named fields
#gru.tensor(1)  --> #: a 0-d tensor has no length
x:size(0)  --> bad argument #1 to 'size' (dim counts from 1, or from -1 backwards, got 0)
x:size(3)  --> size: dim 3 of a tensor with 2 dims
x:size("a")  --> bad argument #1 to 'size' (dim (an integer) expected, got string)
x:size(1, 2)  --> size: too many arguments: 3, at most 2 expected
x:dim(1)  --> dim: too many arguments: 2, at most 1 expected
x:numel(1)  --> numel: too many arguments: 2, at most 1 expected
x:item()  --> item: expected one element, the shape is [2, 3]
x:item(1)  --> item: too many arguments: 2, at most 1 expected
x:backward()  --> backward: the output does not require grad: no parameter took part in it, or
gru.normal()  --> normal: mean must be a number or a tensor, got nil
gru.normal("a", 1)  --> normal: mean must be a number or a tensor, got string
gru.normal(0, -1, {2})  --> normal_: std must not be negative, got -1
gru.normal(0, 1, "a")  --> normal: a table of sizes expected, got string
gru.normal(v, x)  --> add: shapes do not broadcast: [4] and [2, 3]
gru.logspace()  --> logspace: start must be a number, got nil
gru.logspace(0, 1)  --> logspace: a number of steps expected, got nil
gru.logspace("a", 1, 3)  --> logspace: start must be a number, got string
gru.logspace(0, 1, -1)  --> logspace: a number of steps expected, got -1
gru.logspace(0, 1, 3, "a")  --> logspace: base must be a number, got string
gru.randint_like()  --> randint_like: a tensor expected, got nil
gru.randint_like(1, 3)  --> randint_like: a tensor expected, got number
gru.randint_like(x)  --> randint_like: integers expected as bounds, got false
gru.randint_like(x, "a")  --> randint_like: integers expected as bounds, got a
gru.randint_like(x, 3, 1)  --> random_: no integers from 3 up to, not including, 1
x:new_empty("a")  --> new_empty: sizes must be integers, argument 1 is a string
x:new_empty(-1)  --> new_empty: sizes must not be negative, size 1 is -1
x:new_full()  --> new_full: a table of sizes expected, got nil
x:new_full({2})  --> new_full: a number or boolean expected, got nil
x:new_full({2}, "a")  --> new_full: a number or boolean expected, got string
x:new_ones("a")  --> new_ones: sizes must be integers, argument 1 is a string
x:new_zeros({-1})  --> new_zeros: sizes must not be negative, size 1 is -1
x:new_zeros(2, {foo = 1})  --> new_zeros: unknown option 'foo'
x:new_tensor()  --> tensor: an element is a nil
x:new_tensor("a")  --> tensor: an element is a string
x.new_tensor(1, {2})  --> new_tensor: a tensor expected, got number
x.new_zeros(1, 2)  --> new_zeros: a tensor expected, got number
(function() x.foo = 1 end)()  --> a tensor has no attribute 'foo' that can be set
(function() i.requires_grad = true end)()  --> requires_grad: only float tensors have gradients, this is
(function() x.grad = v end)()  --> grad: float32 [4] cannot be the gradient of float32 [2, 3]
(function() x[3] = 1 end)()  --> index: position 3 is outside dim 1
(function() x[1] = v end)()  --> copy_: [4] does not broadcast to [3]
(function() x[{1, 2, 3}] = 1 end)()  --> select: a 0-d tensor has no dims to index
(function() x[b] = v end)()  --> index: a value of shape [4] for elements of shape [6]
(function() x[{i, i, i}] = 1 end)()  --> index: 3 dims named, the tensor has 2
(function() x[true] = 1 end)()  --> index: a position, a table or a tensor expected, got boolean true
(function() x[1] = "a" end)()  --> bad argument #1 to 'copy_' (tensor or number expected, got string)
(function() x[gru.tensor({5})] = 1 end)()  --> scatter: id 5 at position 1 is outside 1 .. 2
(function() x[b] = "a" end)()  --> bad argument #2 to 'where' (tensor or number expected, got string)
x[{gru.tensor({1, 2}), gru.tensor({1, 2, 3})}]  --> index: ids of shapes [2] and [3] do not broadcast
x[{gru.tensor({7})}]  --> index_select: id 7 at position 1 is outside 1 .. 2
]==]
