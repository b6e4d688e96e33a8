"""How many requests a host bears, and who may ask it when.

Stands on errors and http_client's slots. All but `throttle` decide, without clock or lock; it
makes threads obey. From the top down:

throttle   waiting for one's turn
pace       how many requests at once, and how fast they may start, learnt from how they end
signs      what a pace notices of a host
budget     a fixed pace: the API's
"""
