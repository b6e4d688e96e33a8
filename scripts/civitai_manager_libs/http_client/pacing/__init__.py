"""How many requests a host bears, and who may ask it when. Stands on errors and `slots`.

`pace`, `signs` and `budget` decide, without clock or lock; `throttle` makes threads obey.

throttle   waiting for one's turn
pace       how many requests at once, and how fast they may start, learnt from how they end
signs      what a pace notices of a host
budget     a fixed pace: the API's
"""
