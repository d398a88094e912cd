"""The load driver's process: only modules of this package import Locust, gevent, geventhttpclient.

It is started by exec (`python -m chaoskit.load.child`), never imported by another process: the
import of Locust patches sockets, threads and time for the whole process.
"""
