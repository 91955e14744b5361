#!/usr/bin/env python3
"""A stand-in for the desktop's notifications: takes the name on the session bus, answers as a desktop does, and writes
each notification as a line of JSON into a FIFO that the test reads.

    notifications.py FIFO      (the first line is `ready`)
"""

import json
import sys

from jeepney import HeaderFields, MessageType, new_error, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

NAME = "org.freedesktop.Notifications"


def main():
    bus = open_dbus_connection("SESSION")
    reply = bus.send_and_get_reply(message_bus.RequestName(NAME))
    assert reply.body[0] == 1, reply.body
    tell("ready")
    shown = 0
    while True:
        call = bus.receive()
        if call.header.message_type is not MessageType.method_call:
            continue
        member = call.header.fields.get(HeaderFields.member)
        if member == "Notify":
            shown += 1
            app, _, _, title, body, actions, *_ = call.body
            bus.send(new_method_return(call, "u", (shown,)))
            tell({"app": app, "title": title, "body": body, "actions": actions})
        elif member == "GetServerInformation":
            bus.send(new_method_return(call, "ssss", ("stand-in", "tests", "1", "1.2")))
        elif member == "GetCapabilities":
            bus.send(new_method_return(call, "as", (["body"],)))
        else:
            bus.send(new_error(call, "org.freedesktop.DBus.Error.UnknownMethod"))


def tell(what):
    with open(sys.argv[1], "w") as fifo:
        fifo.write(json.dumps(what) + "\n")


if __name__ == "__main__":
    main()
